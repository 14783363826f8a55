import type { Call, LateWrite, Moment } from './world.ts';

/** Why a second effect happened. All but the last happen with Powertools alone. */
export type Reason =
  /** The first execution was cut off, or its outcome was not stored: its time was over when the second one began. */
  | 'its time was over'
  /** An execution of the old code wrote after the end of its time: it deletes and completes whatever is there. */
  | 'a late write of the old code'
  | 'UNEXPLAINED';

export interface Double {
  readonly first: Call;
  readonly second: Call;
  readonly reason: Reason;
}

/** Every effect that came after another one of the same key, with its reason. */
export function doublesOf(calls: readonly Call[], lateWrites: readonly LateWrite[]): Double[] {
  const effects = calls.filter(hasEffect).sort((a, b) => a.claimed.order - b.claimed.order);
  return effects.flatMap((second, index) =>
    effects
      .slice(0, index)
      .filter(({ key }) => key === second.key)
      .map((first) => ({ first, second, reason: reasonOf(first, second, lateWrites) })),
  );
}

type Effectful = Call & { readonly claimed: Moment };

function hasEffect(call: Call): call is Effectful {
  return call.effectAt !== undefined && call.claimed !== undefined;
}

function reasonOf(first: Effectful, second: Effectful, lateWrites: readonly LateWrite[]): Reason {
  const isSettled = first.settled !== undefined && first.settled.order <= second.claimed.order;
  if (!isSettled && first.deadline <= second.claimed.at) return 'its time was over';
  const isBetween = ({ key, order }: LateWrite) =>
    key === first.key && order >= first.claimed.order && order <= second.claimed.order;
  return lateWrites.some(isBetween) ? 'a late write of the old code' : 'UNEXPLAINED';
}

/** Answers that no execution of this key has given. */
export function foreignAnswers(calls: readonly Call[]): Call[] {
  return calls.filter((call) => {
    const value = call.answer?.value as { readonly by?: string } | undefined;
    if (value === undefined) return false;
    return !calls.some(({ name, key, effectAt }) => name === value.by && key === call.key && effectAt !== undefined);
  });
}
