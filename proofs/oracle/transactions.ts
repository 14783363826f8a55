import type { Seen } from '../lib/history.ts';
import { type CallFacts, type Facts, offsetsOf } from './facts.ts';

/**
 * Requests without a claim, each of which writes its effect, its outcome and its record at once. What they write, and when,
 * is judged with all other writes. Here: a failure is told only by who has looked at the record since, and has found that
 * nobody else has done the work, is doing it, or has used the key for other work.
 */
export function transactionsLookFirst(facts: Facts): void {
  for (const call of facts.calls.values()) {
    if (isOwnFailure(call)) hasLooked(facts, call);
    if (isOwnTransaction(call)) isRecognised(facts, call);
    if (call.called.transaction === true && call.called.repeats !== true) plansOnce(facts, call);
    if (call.called.transaction === true && facts.terms.punctual) isGivenUpInTime(facts, call);
  }
}

/** Whether its caller got the response of its own plan. */
export function isOwnTransaction({ called, answer, finishings }: CallFacts): boolean {
  if (called.transaction !== true || answer?.kind !== 'returned') return false;
  return finishings.some(({ text }) => text === answer.text);
}

/** Whether its caller was told that its plan, or a condition of its items, has failed. */
export function isOwnFailure({ answer, unplanned }: CallFacts): boolean {
  return answer?.kind === 'threw' && unplanned.some(({ text }) => text === answer.text);
}

/** However often it meets another record: a plan may read much, and its writes are tried as they are. */
function plansOnce({ report }: Facts, { id, finishings, unplanned }: CallFacts): void {
  const [, again] = [...finishings, ...unplanned.filter(({ type }) => type === 'planFailed')];
  if (again !== undefined) report('transaction', again.at, `call ${id} makes its plan twice`);
}

/** I3. An earlier try was applied, and its answer was lost. */
function isRecognised({ report }: Facts, { id, reports, answeredAt = 0 }: CallFacts): void {
  if (reports.some((event) => event.report === 'replayed'))
    report('I3', answeredAt, `call ${id} takes its own outcome for that of another request`);
}

function hasLooked(facts: Facts, call: CallFacts): void {
  const { id, unplanned, looks, answeredAt = 0 } = call;
  const since = unplanned.at(-1)?.at ?? 0;
  const seen = looks.filter(({ at }) => at >= since && at <= answeredAt);
  if (seen.some(({ found }) => mayWrite(facts, call, found))) return;
  const found = seen.at(-1)?.found;
  const what = found === undefined ? 'has not looked at the record' : `has found ${found.status} of call ${found.by}`;
  facts.report('I4', answeredAt, `call ${id} tells of its own failure, and ${what}`);
}

/** Whether it might have written over that, by what its clock showed until it was answered. */
function mayWrite({ calls, terms }: Facts, call: CallFacts, found: Seen | undefined): boolean {
  if (found === undefined) return true;
  const { status, by, expiresAt, leaseUntil = 0 } = found;
  const now = (call.answeredAt ?? 0) + Math.max(...offsetsOf(call));
  const isUnsettled = status === 'IN_PROGRESS' && terms.onExpiredLease === 'throw';
  if (now >= expiresAt && !isUnsettled) return true;
  if (calls.get(by)?.called.payload !== call.called.payload || status === 'COMPLETED') return false;
  return status === 'RELEASED' || (!isUnsettled && now >= leaseUntil + terms.clockSkewMillis);
}

/** The least that a write is given, and the longest back-off. */
const LAST_WRITE_MILLIS = 1000;
const BACK_OFF_MILLIS = 1000;

/** I16. No longer than the tries of each request to the store may take: it makes another one for each answer. */
function isGivenUpInTime({ terms, report }: Facts, call: CallFacts): void {
  const { id, called, answer, answeredAt = 0, finishings, unplanned, conflicts, looks } = call;
  if (answer?.kind !== 'refused' || answer.code !== 'STORE_UNAVAILABLE' || terms.noiseMillis !== undefined) return;
  const began = Math.max(...[called, ...finishings, ...unplanned].map(({ at }) => at));
  const tries = 1 + conflicts.length + looks.length;
  const trying = tries * (terms.patienceMillis + LAST_WRITE_MILLIS + BACK_OFF_MILLIS);
  const late = answeredAt - began - trying - 2 * (called.waitMillis ?? 0);
  if (late > 0) report('I16', answeredAt, `call ${id} learns ${late} ms too late that the store hangs`);
}
