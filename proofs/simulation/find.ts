import { SeededChoices } from './choices.ts';
import { runSchedule } from './schedule.ts';
import { limitsOf, runSeeds } from './seeds.ts';

/** For `breaks.ts`: how many schedules it takes to break a promise, and which, as JSON. */
const [, , most = '1'] = process.argv;
const { failed, schedules } = await runSeeds({ first: 1, step: 1, schedules: Number(most) });
const [seed] = failed.sort((a, b) => a - b);
if (seed === undefined) console.log(JSON.stringify({ schedules, promises: [] }));
else {
  const { violations } = await runSchedule(new SeededChoices(seed), limitsOf(seed));
  console.log(JSON.stringify({ schedules: seed, promises: [...new Set(violations.map(({ promise }) => promise))] }));
}
