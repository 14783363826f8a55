import { SeededChoices } from './choices.ts';
import type { PlanLimits } from './plan.ts';
import { runSchedule } from './schedule.ts';
import { count, emptyTally, type Tally } from './tally.ts';

/** Which seeds: `first`, `first + step`, … , `schedules` of them. */
export interface Seeds {
  readonly first: number;
  readonly step: number;
  readonly schedules: number;
}

/** Schedules that wait for the same turns of Node. */
const AT_ONCE = 16;

/** Of five schedules, one has clocks that are further apart than the tolerance. */
export function limitsOf(seed: number): PlanLimits {
  return { beyondTolerance: seed % 5 === 0 };
}

/** Runs them all, or until enough have failed. `onProgress` is told now and then how many are done. */
export async function runSeeds(
  { first, step, schedules }: Seeds,
  { maxFailures = 1, onProgress = (_done: number): void => undefined } = {},
): Promise<Tally> {
  const tally = emptyTally();
  let begun = 0;
  const lane = async () => {
    while (begun < schedules && tally.failed.length < maxFailures) {
      const seed = first + step * begun++;
      const choices = new SeededChoices(seed);
      const outcome = await runSchedule(choices, limitsOf(seed));
      count(tally, seed, choices.taken.length, outcome);
      if (tally.schedules % 500 === 0) onProgress(tally.schedules);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return tally;
}
