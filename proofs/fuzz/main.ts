import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { seed, whole } from '../../tools/options.ts';

const OPTIONS = {
  runs: whole('How often each property is tried.', { from: 1, to: 10_000_000, or: 5000 }),
  seed: seed('Chooses what is tried.', { below: 2 ** 31 }),
};

/** @returns whether every property has held */
async function run({ runs, seed }: SettingsOf<typeof OPTIONS>, stops: Stop[]): Promise<boolean> {
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

await runCommand({
  name: 'test:fuzz',
  about: 'The fuzz tests, longer than in npm test, and with another seed.',
  options: OPTIONS,
  run,
});
