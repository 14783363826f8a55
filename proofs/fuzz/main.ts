import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { runCommand, type Stop } from '../../test/support/command.ts';
import { parseOptions, TEXT, wholeNumber } from '../../tools/arguments.ts';

const USAGE = `Usage: npm run test:fuzz -- [options]

The fuzz tests, longer than in npm test, and with another seed.

Options:
  --runs <number>  How often each property is tried, from 1 to 10000000. Default 5000.
  --seed <number>  Chooses what is tried. Default: a random one, which is printed.
  -h, --help       Print this.`;

interface Settings {
  readonly runs: number;
  readonly seed: number;
}

function readSettings(args: readonly string[]): Settings | undefined {
  const { help, runs = '5000', seed = String(randomInt(2 ** 31)) } = parseOptions(args, { runs: TEXT, seed: TEXT });
  if (help === true) return undefined;
  return {
    runs: wholeNumber('--runs', runs, { from: 1, to: 10_000_000 }),
    seed: wholeNumber('--seed', seed, { from: 0, to: 2 ** 31 - 1 }),
  };
}

/** @returns whether every property has held */
async function run({ runs, seed }: Settings, stops: Stop[]): Promise<boolean> {
  console.log(`${runs} runs of each property, seed ${seed}`);
  const tests = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', 'proofs/fuzz', '--maxWorkers=2', '--testTimeout=3600000'],
    { stdio: 'inherit', env: { ...process.env, FUZZ_RUNS: String(runs), FUZZ_SEED: String(seed) } },
  );
  stops.push(async () => tests.kill());
  const [code] = await once(tests, 'exit');
  return code === 0;
}

await runCommand({ usage: USAGE, readSettings, run });
