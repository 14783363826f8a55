import { spawn } from 'node:child_process';
import { copyFileSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runCommand, type Stop } from './command.ts';
import { leash } from './leash.ts';
import { flag } from './options.ts';

/**
 * The documentation site. Its tools have a package.json of their own in `docs/`, so that `npm ci` at the root stays small.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const docs = `${root}docs/`;

/** Of Pagefind: other user interfaces than the one that the site has, and what reads other languages. */
const UNUSED = ['pagefind-{component-ui,highlight,modular-ui,ui}.*', 'wasm.unknown.pagefind'];

await runCommand({
  name: 'docs',
  about: `Builds the documentation site into docs/dist: static files that ask no other host for anything.
    DOCS_SITE, DOCS_BASE and DOCS_SOURCE_URL say where the site will be, its first path, and where the files of the
    repository are. The first time, it installs the site's tools into docs/node_modules.`,
  options: {
    dev: flag('Serves the pages on this machine and shows each change at once, until Ctrl-C.'),
    test: flag('Builds, then checks types and spelling, and tests the site in Chromium, if there is one.'),
  },
  async run({ dev, test }, stops) {
    const run = (program: string, ...args: readonly string[]) => runIn(docs, stops, program, args);
    if (!isInstalled()) {
      console.log("Installing the site's tools into docs/node_modules, once");
      if (!(await runIn(docs, stops, 'npm', ['ci', '--loglevel=error']))) return false;
      copyFileSync(`${docs}package-lock.json`, `${docs}node_modules/.installed.json`);
    }
    if (!(await run('typedoc', ...entryPoints().flatMap((entry) => ['--entryPoints', entry])))) return false;
    if (!(await run(process.execPath, 'playground/main.ts', '--build'))) return false;
    mkdirSync(`${docs}site/public/playground`, { recursive: true });
    copyFileSync(`${docs}playground/dist/playground.js`, `${docs}site/public/playground/playground.js`);
    if (dev) return run('astro', 'dev');
    const started = performance.now();
    rmSync(`${docs}dist`, { recursive: true, force: true });
    if (!(await run('astro', 'build', '--silent'))) return false;
    for (const file of globSync(UNUSED, { cwd: `${docs}dist/pagefind` })) rmSync(`${docs}dist/pagefind/${file}`);
    console.log(`docs/dist: ${sizeOfSite()}, ${Math.round((performance.now() - started) / 1000)} s`);
    if (!test) return true;
    return (
      (await run('tsc', '-p', 'tsconfig.json')) &&
      (await run('cspell', 'lint', '--quiet', '--no-progress')) &&
      (await runIn(root, stops, `${root}node_modules/.bin/vitest`, ['run', '--config', 'docs/test/vitest.config.ts']))
    );
  },
});

function isInstalled(): boolean {
  const [wanted, installed] = [`${docs}package-lock.json`, `${docs}node_modules/.installed.json`];
  return existsSync(installed) && readFileSync(installed, 'utf8') === readFileSync(wanted, 'utf8');
}

/** The types of what the package exports, as `npm run build` has made them. */
function entryPoints(): readonly string[] {
  const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
    exports: Record<string, string | { types: string }>;
  };
  return Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [`../${entry.types}`]));
}

function sizeOfSite(): string {
  const files = globSync('**/*.*', { cwd: `${docs}dist` }).filter((file) => statSync(`${docs}dist/${file}`).isFile());
  const bytes = files.reduce((sum, file) => sum + statSync(`${docs}dist/${file}`).size, 0);
  return `${files.filter((file) => file.endsWith('.html')).length} pages, ${(bytes / 1e6).toFixed(1)} MB`;
}

/** @returns whether it ended well */
function runIn(cwd: string, stops: Stop[], program: string, args: readonly string[]): Promise<boolean> {
  const env = {
    ...process.env,
    PATH: `${docs}node_modules/.bin:${process.env['PATH']}`,
    ASTRO_TELEMETRY_DISABLED: '1',
    ASTRO_DISABLE_UPDATE_CHECK: 'true',
  };
  const child = spawn(program, args, { cwd, env, stdio: 'inherit' });
  leash(child);
  const ended = new Promise<boolean>((resolve) => {
    child.on('error', (error) => {
      console.error(`${program} does not start: ${error.message}`);
      resolve(false);
    });
    child.on('exit', (code) => resolve(code === 0));
  });
  stops.push(() => {
    child.kill();
    return ended;
  });
  return ended;
}
