import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { explain } from './explain.ts';
import type { Seeds } from './seeds.ts';
import { emptyTally, merge, type Tally } from './tally.ts';

const HELP = `Deterministic simulation: the real guard, function wrapper and middleware over a simulated table, network, clocks and
processes, every schedule judged by an oracle that knows only the promises.

  npm run test:simulation                       100,000 schedules: seeds 1 to 100,000, on 2 cores
  npm run test:simulation -- --schedules 5000   as many
  npm run test:simulation -- --first 200001     seeds from there on
  npm run test:simulation -- --seed 123         that schedule alone, step by step
  npm run test:simulation -- --workers 1        on so many cores

Exit code 1 when a promise is broken: the seed and the shortest schedule that still breaks it are printed.`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    schedules: { type: 'string', default: '100000' },
    first: { type: 'string', default: '1' },
    seed: { type: 'string' },
    workers: { type: 'string', default: '2' },
  },
});

if (values.help === true) console.log(HELP);
else if (values.seed !== undefined) await one(natural('seed', values.seed));
else
  await many(
    natural('first', values.first),
    natural('schedules', values.schedules),
    natural('workers', values.workers),
  );

async function one(seed: number): Promise<void> {
  const { text, failed } = await explain(seed);
  console.log(text);
  process.exitCode = failed ? 1 : 0;
}

async function many(first: number, schedules: number, count: number): Promise<void> {
  const startedAt = performance.now();
  process.once('SIGINT', () => {
    console.error('stopped');
    process.exit(130);
  });
  const parts = Array.from({ length: count }, (_, index): Seeds => {
    return { first: first + index, step: count, schedules: Math.ceil((schedules - index) / count) };
  });
  const tally = emptyTally();
  for (const part of await Promise.all(parts.map((seeds) => run(seeds)))) merge(tally, part);
  print(tally, first, (performance.now() - startedAt) / 1000);
  const [seed] = tally.failed.sort((a, b) => a - b);
  if (seed === undefined) return;
  console.log(`\n${(await explain(seed)).text}\n\nAgain: npm run test:simulation -- --seed ${seed}`);
  process.exitCode = 1;
}

function run(seeds: Seeds): Promise<Tally> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: seeds });
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

function natural(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`--${name} must be a whole number above 0, not '${text}'`);
  process.exit(2);
}
