import { Worker } from 'node:worker_threads';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { whole, wholeIfGiven } from '../../tools/options.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { explain } from './explain.ts';
import type { Seeds } from './seeds.ts';
import { emptyTally, merge, type Tally } from './tally.ts';

const OPTIONS = {
  schedules: whole('How many.', { from: 1, or: 100_000 }),
  first: whole('The first seed.', { from: 1, or: 1 }),
  seed: wholeIfGiven('This schedule alone, step by step.', { from: 1 }),
  workers: whole('On so many cores.', { from: 1, to: 64, or: 2 }),
};
type Settings = SettingsOf<typeof OPTIONS>;

async function simulate({ seed, ...settings }: Settings, stops: Stop[]): Promise<boolean> {
  if (seed === undefined) return many(settings, stops);
  const { text, failed } = await explain(seed);
  console.log(text);
  return !failed;
}

async function many({ first, schedules, workers }: Omit<Settings, 'seed'>, stops: Stop[]): Promise<boolean> {
  const time = stopwatch();
  const parts = Array.from({ length: workers }, (_, index): Seeds => {
    return { first: first + index, step: workers, schedules: Math.ceil((schedules - index) / workers) };
  });
  const tally = emptyTally();
  for (const part of await Promise.all(parts.map((seeds) => run(seeds, stops)))) merge(tally, part);
  print(tally, first, time.seconds());
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

await runCommand({
  name: 'test:simulation',
  about: `
    Deterministic simulation: the real guard, function wrapper and middleware over a simulated table, network, clocks and
    processes. An oracle that knows only the promises judges every schedule. Exit code 1 when a promise is broken: the seed and the
    shortest schedule that still breaks it are printed.`,
  options: OPTIONS,
  run: simulate,
});
