import { type Answer, failuresOf, isSameAnswer, isSuccessful } from '../answer.ts';
import { isFailure, type PlannedFault } from './faults.ts';
import type { Effect, Invocation } from './invocation.ts';
import type { Ended } from './scenario.ts';

/** What a user accepts of a handler. */
export type Policy = 'exactly-once' | 'at-most-once' | 'at-least-once';

export type Problem =
  /** An effect has happened more often than in the undisturbed run. */
  | 'repeated'
  /** The caller got its success, and an effect has not happened. */
  | 'lost'
  /** No retry gets an answer. */
  | 'stuck'
  /** Two callers got different successes. */
  | 'different-answers'
  /** After a success, a retry executed again, or failed. */
  | 'not-replayed'
  /** A caller was refused, and its request had an effect. */
  | 'refused-with-effect';

export interface Verdict {
  readonly problem: Problem;
  /** The effect that it is about, where it is about one. */
  readonly effect?: string;
  /** What happened, in numbers: times that the effect happened. */
  readonly times?: number;
  readonly expected?: number;
  readonly answer?: Answer | undefined;
}

/** Times that each effect happens in the undisturbed run. */
export type Baseline = ReadonlyMap<string, number>;

/** Calls with the same key are one effect: their receiver recognises it. */
export function countEffects(invocations: readonly Invocation[]): Map<string, number> {
  const seen = new Map<string, Set<unknown>>();
  for (const { name, key } of invocations.flatMap(({ effects }) => effects)) {
    seen.set(name, (seen.get(name) ?? new Set()).add(key ?? Symbol(name)));
  }
  return new Map([...seen].map(([name, keys]) => [name, keys.size]));
}

export interface Judging {
  readonly baseline: Baseline;
  readonly policy: Policy;
  readonly isOptional: (effect: string) => boolean;
}

/** What is wrong with a run. */
export function judge(ended: Ended, plan: readonly PlannedFault[], judging: Judging): Verdict[] {
  const { baseline, policy, isOptional } = judging;
  const { invocations } = ended.world;
  const mayVanish = policy === 'at-most-once' && plan.some(({ fault }) => isFailure(fault));
  // What could not be stored cannot be replayed: a retry executes again, with the same keys.
  const mayExecute = policy === 'at-least-once' || plan.some(({ fault }) => fault === 'outage');
  const isAnswered = ended.isAnswered;
  const counts = countEffects(invocations);
  const names = new Set([...baseline.keys(), ...counts.keys()]);
  const verdicts: Verdict[] = [];
  for (const effect of names) {
    const [expected, times] = [baseline.get(effect) ?? 0, counts.get(effect) ?? 0];
    if (times > expected) verdicts.push({ problem: 'repeated', effect, times, expected });
    const isLost = times < expected && isAnswered && !mayVanish && !isOptional(effect);
    if (isLost) verdicts.push({ problem: 'lost', effect, times, expected });
  }
  if (!isAnswered) return mayVanish ? verdicts : [...verdicts, { problem: 'stuck', answer: ended.last }];
  return [...verdicts, ...ofAnswers(ended, mayExecute, mayVanish, verdicts), ...ofRefusals(invocations)];
}

function ofAnswers(
  { world, success }: Ended,
  mayExecute: boolean,
  mayVanish: boolean,
  known: readonly Verdict[],
): Verdict[] {
  if (mayExecute) return [];
  const { invocations } = world;
  const checks = invocations.filter(({ role }) => role === 'check');
  if (checks.length === 0) return [];
  const failed = checks.find(({ answer, isFaulted }) => !isFaulted && !isSuccessful(answer));
  if (failed !== undefined && !mayVanish) return [{ problem: 'not-replayed', answer: failed.answer }];
  const again = checks.flatMap(({ effects }) => effects)[0];
  if (again !== undefined) {
    // Where it has its effect twice, that says more.
    const isKnown = known.some(({ problem, effect }) => problem === 'repeated' && effect === again.name);
    return isKnown ? [] : [{ problem: 'not-replayed', effect: again.name }];
  }
  const isOther = ({ answer, role }: Invocation) =>
    answer?.kind === 'returned' && role !== 'other' && isSuccessful(answer) && !isSameAnswer(answer.value, success);
  return invocations.some(isOther) ? [{ problem: 'different-answers' }] : [];
}

function ofRefusals(invocations: readonly Invocation[]): Verdict[] {
  // A part of a batch may be refused, and another part be executed.
  const isRefusal = (answer: Answer | undefined) => !isSuccessful(answer) && failuresOf(answer).length === 0;
  const refused = invocations.filter(
    ({ role, answer, isFaulted }) => (role === 'duplicate' || role === 'other') && !isFaulted && isRefusal(answer),
  );
  const [effect] = refused.flatMap(({ effects }): readonly Effect[] => effects);
  return effect === undefined ? [] : [{ problem: 'refused-with-effect', effect: effect.name }];
}
