import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from '../../tools/arguments.ts';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { oneOf, text, whole } from '../../tools/options.ts';
import { BREAKS, type Break } from './broken.ts';

const run = promisify(execFile);

const OPTIONS = {
  only: text('Only those with this text in their name.'),
  schedules: whole('How many schedules at most.', { from: 1, or: 40_000 }),
  by: oneOf('What looks for them: the simulation and the tests, or the exhaustive exploration.', [
    'simulation',
    'exploration',
  ]),
};
type Settings = SettingsOf<typeof OPTIONS>;

/** @returns whether each was found */
async function all({ only, ...settings }: Settings, stops: Stop[]): Promise<boolean> {
  const breaks = BREAKS.filter(({ name }) => name.includes(only));
  if (breaks.length === 0) throw new UsageError(`no break has '${only}' in its name`);
  const root = new URL('../..', import.meta.url).pathname;
  const stopping = new AbortController();
  stops.push(async () => stopping.abort());
  let missed = 0;
  console.log('| break | found by | after |\n|---|---|---|');
  for (const broken of breaks) {
    const copy = await mkdtemp(join(tmpdir(), 'broken-'));
    const remove = () => rm(copy, { recursive: true, force: true });
    stops.push(remove);
    try {
      await copyTo(copy, root);
      for (const { file, find, put } of broken.edits) await replaceIn(join(copy, file), find, put);
      const [by, after] = await find(copy, broken, { ...settings, signal: stopping.signal });
      if (after === undefined) missed++;
      console.log(`| ${broken.name} | ${by} | ${after ?? 'NOT FOUND'} |`);
    } finally {
      await remove();
    }
  }
  console.log(`\n${breaks.length - missed} of ${breaks.length} found`);
  return missed === 0;
}

const COPIED = ['src', 'test', 'proofs', 'tools', 'infra', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

async function copyTo(copy: string, root: string): Promise<void> {
  for (const name of COPIED) {
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

type Options = { readonly cwd: string; readonly signal: AbortSignal };
type Found = readonly [by: string, after?: string];

interface Finding extends Omit<Settings, 'only'> {
  readonly signal: AbortSignal;
}

function find(copy: string, { tests }: Break, { by, schedules, signal }: Finding): Promise<Found> {
  const options = { cwd: copy, signal };
  if (by === 'exploration') return explore(options);
  return tests === undefined ? simulate(options, schedules) : runTests(options, tests);
}

async function explore(options: Options): Promise<Found> {
  const { stdout } = await run(process.execPath, ['proofs/exploration/find.ts'], options);
  const { states, promises, configuration }: { states: number; promises: string[]; configuration: string } =
    JSON.parse(stdout);
  const count = `${states.toLocaleString('en')} states`;
  return promises.length === 0
    ? [`the exploration, not in ${count}`]
    : [`the exploration (${configuration}): ${promises.join(', ')}`, count];
}

async function simulate(options: Options, most: number): Promise<Found> {
  const { stdout } = await run(process.execPath, ['proofs/simulation/find.ts', String(most)], options);
  const { schedules, promises }: { schedules: number; promises: string[] } = JSON.parse(stdout);
  const count = `${schedules.toLocaleString('en')} schedule${schedules === 1 ? '' : 's'}`;
  return promises.length === 0
    ? [`the simulation, not in ${count}`]
    : [`the simulation: ${promises.join(', ')}`, count];
}

async function runTests(options: Options, tests: readonly string[]): Promise<Found> {
  const names = tests.map((path) => `\`${path.slice(path.lastIndexOf('/') + 1)}\``).join(', ');
  const vitest = join(options.cwd, 'node_modules/vitest/vitest.mjs');
  const report = join(options.cwd, 'report.json');
  const failed = await run(
    process.execPath,
    [vitest, 'run', '--reporter=json', `--outputFile=${report}`, ...tests],
    options,
  ).then(
    () => 0,
    async (error: unknown) => {
      const { numFailedTests } = JSON.parse(await readFile(report, 'utf8')) as { numFailedTests: number };
      if (numFailedTests === 0) throw error;
      return numFailedTests;
    },
  );
  return failed === 0 ? [names] : [names, `${failed} failed test${failed === 1 ? '' : 's'}`];
}

await runCommand({
  name: 'test:breaks',
  about: `
    Breaks a copy of the sources on purpose, one way after the other, and shows what finds it. Exit code 1 when one is not
    found.`,
  options: OPTIONS,
  run: all,
});
