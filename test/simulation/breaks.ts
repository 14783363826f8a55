import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { BREAKS, type Break } from './broken.ts';

const HELP = `Breaks a copy of the sources on purpose, one way after the other, and shows who finds it.

  npm run test:breaks                     all of them; exit code 1 when one is not found
  npm run test:breaks -- --only skew      those with this text in their name
  npm run test:breaks -- --schedules 5000 so many schedules at most (default 40,000)
  npm run test:breaks -- --by exploration the exhaustive exploration instead of the simulation and the tests`;

const run = promisify(execFile);

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    only: { type: 'string', default: '' },
    schedules: { type: 'string', default: '40000' },
    by: { type: 'string', default: 'simulation' },
  },
});
if (values.help === true) console.log(HELP);
else await all(BREAKS.filter(({ name }) => name.includes(values.only)));

async function all(breaks: readonly Break[]): Promise<void> {
  const root = new URL('../..', import.meta.url).pathname;
  let missed = 0;
  console.log('| break | found by | after |\n|---|---|---|');
  for (const broken of breaks) {
    const copy = await mkdtemp(join(tmpdir(), 'broken-'));
    try {
      await copyTo(copy, root);
      for (const { file, find, put } of broken.edits) await replaceIn(join(copy, file), find, put);
      const [by, after] = await find(copy, broken);
      if (after === undefined) missed++;
      console.log(`| ${broken.name} | ${by} | ${after ?? 'NOT FOUND'} |`);
    } finally {
      await rm(copy, { recursive: true });
    }
  }
  console.log(`\n${breaks.length - missed} of ${breaks.length} found`);
  process.exitCode = missed === 0 ? 0 : 1;
}

async function copyTo(copy: string, root: string): Promise<void> {
  for (const name of ['src', 'test', 'infra', 'package.json', 'tsconfig.json', 'vitest.config.ts']) {
    await cp(join(root, name), join(copy, name), { recursive: true });
  }
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
}

/** A text that is not there exactly once would break something else, or nothing. */
async function replaceIn(file: string, find: string, put: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${find}`);
  await writeFile(file, parts.join(put));
}

type Found = readonly [by: string, after?: string];

function find(copy: string, { tests }: Break): Promise<Found> {
  if (values.by === 'exploration') return explore(copy);
  return tests === undefined ? simulate(copy) : runTests(copy, tests);
}

async function explore(cwd: string): Promise<Found> {
  const { stdout } = await run(process.execPath, ['test/exploration/find.ts'], { cwd });
  const { states, promises, configuration }: { states: number; promises: string[]; configuration: string } =
    JSON.parse(stdout);
  const count = `${states.toLocaleString('en')} states`;
  return promises.length === 0
    ? [`the exploration, not in ${count}`]
    : [`the exploration (${configuration}): ${promises.join(', ')}`, count];
}

async function simulate(cwd: string): Promise<Found> {
  const { stdout } = await run(process.execPath, ['test/simulation/find.ts', values.schedules], { cwd });
  const { schedules, promises }: { schedules: number; promises: string[] } = JSON.parse(stdout);
  const count = `${schedules.toLocaleString('en')} schedule${schedules === 1 ? '' : 's'}`;
  return promises.length === 0
    ? [`the simulation, not in ${count}`]
    : [`the simulation: ${promises.join(', ')}`, count];
}

async function runTests(cwd: string, tests: readonly string[]): Promise<Found> {
  const names = tests.map((path) => `\`${path.slice(path.lastIndexOf('/') + 1)}\``).join(', ');
  const vitest = join(cwd, 'node_modules/vitest/vitest.mjs');
  const report = join(cwd, 'report.json');
  const failed = await run(process.execPath, [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...tests], {
    cwd,
  }).then(
    () => 0,
    async (error: unknown) => {
      const { numFailedTests } = JSON.parse(await readFile(report, 'utf8')) as { numFailedTests: number };
      if (numFailedTests === 0) throw error;
      return numFailedTests;
    },
  );
  return failed === 0 ? [names] : [names, `${failed} failed test${failed === 1 ? '' : 's'}`];
}
