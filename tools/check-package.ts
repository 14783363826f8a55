import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Packs the package, installs the tarball into an empty project, and uses it there as a user would: by `import` and by
 * `require`, on the oldest and on the newest Node that it supports, with each major of Middy, without the AWS SDK and
 * with it.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE = '22.15.0';
const MIDDY_VERSIONS = ['6', '7'];
const TYPE_CHECK = '--noEmit --strict --module nodenext --target es2023 --types node'.split(' ');
/** Middy 7 has types of a package that it does not install. */
const START = ['--allowImportingTsExtensions', '--skipLibCheck'];
const SHIPPED = /^(dist\/.+\.(js|d\.ts)|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;

const project = mkdtempSync(join(tmpdir(), 'middy-idempotency-'));
try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', project], root));
  const extra = packed.files.map(({ path }: { path: string }) => path).filter((path: string) => !SHIPPED.test(path));
  if (extra.length > 0) throw new Error(`the package ships what no user needs: ${extra.join(', ')}`);
  console.log(`packed ${packed.files.length} files, ${packed.size} bytes, ${packed.unpackedSize} bytes unpacked`);

  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ private: true, type: 'module', allowScripts: { node: true } }),
  );
  cpSync(join(root, 'tools/package'), project, { recursive: true });
  cpSync(join(root, 'examples/start'), join(project, 'start'), { recursive: true });
  install(`./${packed.filename}`, `node@${OLDEST_NODE}`, `@middy/core@${MIDDY_VERSIONS[0]}`);
  smoke('without-sdk.cjs');
  typeCheck('lite-handler.ts');
  smoke('cli.cjs', 'without the AWS SDK');
  install('@aws-sdk/client-dynamodb@3', '@aws-sdk/lib-dynamodb@3');
  smoke('cli.cjs', 'with the AWS SDK');
  for (const middy of MIDDY_VERSIONS) {
    install(`@middy/core@${middy}`);
    smoke('smoke.mjs');
    smoke('smoke.cjs');
    smoke('testing.mjs');
    typeCheck('start/payments.test.ts', ...START);
    typeCheck('start/payments-handler.ts', ...START, '--declaration', '--exactOptionalPropertyTypes'); // as `tsc --init`
  }
  install('aws-cdk-lib@2.275.0', 'constructs@10');
  smoke('cdk.mjs');
  smoke('cdk.cjs');
  typeCheck('cdk-app.ts', '--skipLibCheck');
  process.stdout.write(run(process.execPath, ['cdk-app.ts'], project));
} finally {
  rmSync(project, { recursive: true, force: true });
}

function install(...packages: string[]): void {
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages], project);
}

function smoke(file: string, ...args: string[]): void {
  for (const node of [join(project, 'node_modules/.bin/node'), process.execPath]) {
    // Node 22.12 warns that `require` of an ES module is new.
    process.stdout.write(run(node, ['--disable-warning=ExperimentalWarning', file, ...args], project));
  }
}

function typeCheck(file: string, ...options: string[]): void {
  const types = join(root, 'node_modules/@types');
  run(join(root, 'node_modules/.bin/tsc'), [...TYPE_CHECK, ...options, '--typeRoots', types, file], project);
}

function run(command: string, args: readonly string[], cwd: string): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
