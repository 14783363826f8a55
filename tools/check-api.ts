import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor';

/**
 * Compares the built declarations of every public entry with its report in `api/`, and fails when they differ.
 * With `--write` it writes the reports. They show a reviewer what a change does to users.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const { write } = parseArgs({ options: { write: { type: 'boolean', default: false } } }).values;

const reports = mkdtempSync(join(tmpdir(), 'api-'));
try {
  const entries = publicEntries();
  extract(entries);
  const { status, stdout } = spawnSync('git', ['diff', '--no-index', '--', 'api', reports], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (write) {
    rmSync(join(root, 'api'), { recursive: true, force: true });
    cpSync(reports, join(root, 'api'), { recursive: true });
    console.log(`${entries.length} reports of the public API written to api/`);
  } else if (status !== 0) {
    console.error(`${stdout}\nThe public API is not what api/ says. Run npm run api: its diff is what users will see.`);
    process.exitCode = 1;
  } else {
    console.log(`the public API of ${entries.length} entries is what api/ says`);
  }
} finally {
  rmSync(reports, { recursive: true, force: true });
}

interface Entry {
  readonly report: string;
  /** Its declarations, as built. */
  readonly file: string;
}

function publicEntries(): Entry[] {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
  return Object.entries<string | { readonly types: string }>(exports).flatMap(([name, target]) => {
    if (typeof target === 'string') return [];
    const report = name === '.' ? 'index' : name.slice('./'.length).replaceAll('/', '-');
    return [{ report, file: `${root}${target.types.slice('./'.length)}` }];
  });
}

/** Writes the reports, all of one compilation. */
function extract(entries: readonly Entry[]): void {
  const [config, ...others] = entries.map(configOf);
  if (config === undefined) throw new Error('package.json exports no types');
  const compilerState = CompilerState.create(config, { additionalEntryPoints: entries.map(({ file }) => file) });
  for (const each of [config, ...others]) {
    const { succeeded } = Extractor.invoke(each, { compilerState, localBuild: true, messageCallback: hideNews });
    if (!succeeded) throw new Error(`no report of ${each.mainEntryPointFilePath}`);
  }
  rmSync(join(reports, 'temporary'), { recursive: true });
}

/** Hides what it says of each report that it writes. */
function hideNews(message: ExtractorMessage): void {
  if (message.logLevel !== ExtractorLogLevel.Error) message.logLevel = ExtractorLogLevel.None;
}

function configOf({ report, file }: Entry): ExtractorConfig {
  return ExtractorConfig.prepare({
    packageJsonFullPath: `${root}package.json`,
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: file,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2024'],
            module: 'nodenext',
            strict: true,
            skipLibCheck: true,
            types: ['node'],
            typeRoots: [`${root}node_modules/@types`],
          },
          files: [file],
        },
      },
      // A type that an exported one is made of is part of what users see.
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: reports,
        reportTempFolder: join(reports, 'temporary'),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
      newlineKind: 'lf',
    },
  });
}
