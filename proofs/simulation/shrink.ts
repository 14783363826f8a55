import type { Violation } from '../lib/history.ts';
import { GivenChoices } from './choices.ts';
import type { PlanLimits } from './plan.ts';
import { runSchedule } from './schedule.ts';

const MAX_RUNS = 3000;

/**
 * A shorter list of choices that breaks the same promise: parts are left out, choices made plainer, as long as it does.
 * The end of a list stands for the plainest choices, so that every list is a schedule.
 */
export async function shrink(taken: readonly number[], limits: PlanLimits, { promise }: Violation): Promise<number[]> {
  let best = withoutEnd(taken);
  let runs = 0;
  const improves = async (candidate: number[]): Promise<boolean> => {
    if (runs++ >= MAX_RUNS) return false;
    const { violations } = await runSchedule(new GivenChoices(candidate), limits);
    if (!violations.some((violation) => violation.promise === promise)) return false;
    best = withoutEnd(candidate);
    return true;
  };
  for (let before = ''; before !== best.join() && runs < MAX_RUNS; ) {
    before = best.join();
    for (let size = Math.ceil(best.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let from = 0; from < best.length; ) {
        if (!(await improves(best.toSpliced(from, size)))) from += size;
      }
    }
    for (let at = 0; at < best.length; at++) {
      const chosen = best[at] ?? 0;
      for (const plainer of new Set([0, chosen >> 1, chosen - 1])) {
        if (plainer >= 0 && plainer < chosen && (await improves(best.with(at, plainer)))) break;
      }
    }
  }
  return best;
}

function withoutEnd(choices: readonly number[]): number[] {
  return choices.slice(0, choices.findLastIndex((choice) => choice > 0) + 1);
}
