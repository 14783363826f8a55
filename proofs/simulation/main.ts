import { Worker } from 'node:worker_threads';
import { runCommand, type Stop } from '../../test/support/command.ts';
import { parseOptions, TEXT, wholeNumber } from '../../tools/arguments.ts';
import { explain } from './explain.ts';
import type { Seeds } from './seeds.ts';
import { emptyTally, merge, type Tally } from './tally.ts';

const USAGE = `Deterministic simulation: the real guard, function wrapper and middleware over a simulated table, network, clocks and
processes, every schedule judged by an oracle that knows only the promises.

  npm run test:simulation                       100,000 schedules: seeds 1 to 100,000, on 2 cores
  npm run test:simulation -- --schedules 5000   as many
  npm run test:simulation -- --first 200001     seeds from there on
  npm run test:simulation -- --seed 123         that schedule alone, step by step
  npm run test:simulation -- --workers 1        on so many cores

Exit code 1 when a promise is broken: the seed and the shortest schedule that still breaks it are printed.`;

interface Settings {
  readonly schedules: number;
  readonly first: number;
  readonly seed: number | undefined;
  readonly workers: number;
}

function readSettings(args: readonly string[]): Settings | undefined {
  const options = parseOptions(args, { schedules: TEXT, first: TEXT, seed: TEXT, workers: TEXT });
  const { help, schedules = '100000', first = '1', seed, workers = '2' } = options;
  if (help === true) return undefined;
  const natural = (name: string, text: string) => wholeNumber(name, text, { from: 1, to: Number.MAX_SAFE_INTEGER });
  return {
    schedules: natural('--schedules', schedules),
    first: natural('--first', first),
    seed: seed === undefined ? undefined : natural('--seed', seed),
    workers: wholeNumber('--workers', workers, { from: 1, to: 64 }),
  };
}

async function simulate({ seed, ...settings }: Settings, stops: Stop[]): Promise<boolean> {
  if (seed === undefined) return many(settings, stops);
  const { text, failed } = await explain(seed);
  console.log(text);
  return !failed;
}

async function many({ first, schedules, workers }: Omit<Settings, 'seed'>, stops: Stop[]): Promise<boolean> {
  const startedAt = performance.now();
  const parts = Array.from({ length: workers }, (_, index): Seeds => {
    return { first: first + index, step: workers, schedules: Math.ceil((schedules - index) / workers) };
  });
  const tally = emptyTally();
  for (const part of await Promise.all(parts.map((seeds) => run(seeds, stops)))) merge(tally, part);
  print(tally, first, (performance.now() - startedAt) / 1000);
  const [seed] = tally.failed.sort((a, b) => a - b);
  if (seed === undefined) return true;
  console.log(`\n${(await explain(seed)).text}\n\nAgain: npm run test:simulation -- --seed ${seed}`);
  return false;
}

function run(seeds: Seeds, stops: Stop[]): Promise<Tally> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: seeds });
  stops.push(() => worker.terminate());
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function print({ schedules, moves, counts, histories, failed }: Tally, first: number, seconds: number): void {
  const number = (value: number) => value.toLocaleString('en');
  for (const [name, times] of [...counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
    console.log(`${number(times).padStart(12)}  ${name}`);
  }
  console.log(
    `\n${number(schedules)} schedules (seeds from ${first}), ${number(moves)} choices, ` +
      `${number(histories.size)} different histories, ${failed.length} violations, ${seconds.toFixed(1)} s ` +
      `(${(process.cpuUsage().user / 1e6).toFixed(0)} s of a core)`,
  );
}

await runCommand({ usage: USAGE, readSettings, run: simulate });
