import { runCommand, type SettingsOf } from '../../tools/command.ts';
import { whole, wholeIfGiven } from '../../tools/options.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { explain, playMany, type Tally } from './tally.ts';

const OPTIONS = {
  schedules: whole('How many.', { from: 1, or: 5000 }),
  first: whole('The first seed.', { from: 1, or: 1 }),
  seed: wholeIfGiven('This schedule alone, step by step.', { from: 1 }),
};

/** So that a long run shows that it goes on. */
const PORTION = 1000;

async function run({ schedules, first, seed }: SettingsOf<typeof OPTIONS>): Promise<boolean> {
  if (seed !== undefined) {
    const { text, isBroken } = await explain(seed);
    console.log(text);
    return !isBroken;
  }
  const time = stopwatch();
  const failed: number[] = [];
  for (let at = first; at < first + schedules; at += PORTION) {
    const portion = Math.min(PORTION, first + schedules - at);
    const mixed = await playMany(at, portion);
    failed.push(...mixed.failed);
    console.log(`seeds ${at} to ${at + portion - 1}, ${time.seconds().toFixed(0)} s`);
    print('old and new code', mixed);
    print('Powertools alone', await playMany(at, portion, { alone: true }));
  }
  if (failed[0] === undefined) return true;
  console.log(`${(await explain(failed[0])).text}\n\nAgain: npm run test:migration -- --seed ${failed[0]}`);
  return false;
}

function print(who: string, { calls, effects, conflicts, doubles }: Tally): void {
  const reasons = Object.entries(doubles).map(([reason, times]) => `${times} ${reason}`);
  console.log(
    `  ${who}: ${calls} calls, ${effects} effects, ${conflicts} refused writes. Twice: ${reasons.join(', ')}`,
  );
}

await runCommand({
  name: 'test:migration',
  about: `
    The real Powertools package and this one on one simulated table: a gradual deploy, a rollback, the deploy again, and the end
    of the old code. Processes die, requests and answers are lost, and some executions go on after the end of their time. Every
    second effect of a request must have a reason that Powertools alone has, too: how many, is printed, with the number for the
    same requests with Powertools alone. Exit code 1 when one has none: its seed and its steps are printed.`,
  options: OPTIONS,
  run,
});
