import { type CallFacts, completionOf, type Facts, isKept, isPastRetention, type KeyFacts, leaseEnd } from './facts.ts';

/**
 * I4. An execution that ended with `store` is never followed by another one within its retention, unless its outcome
 * could never be written, which has these reasons and no other:
 *
 * - its process died,
 * - every write of the outcome failed on the way, and it was tried as long as there was time,
 * - its lease was over, and another call had taken the record.
 *
 * Even then its lease is kept: nobody starts before that is over. I7: the same lease for what is held.
 */
export function finishedEffectsStay(facts: Facts): void {
  for (const key of facts.keys.values()) {
    for (const call of key.calls) {
      if (call.settlement === undefined) continue;
      if (call.settlement === 'store') {
        isStored(facts, call);
        if (facts.terms.punctual) isTriedWhileThereIsTime(facts, call);
        if (facts.terms.punctual) isGivenUpInTime(facts, call);
      } else staysUnstored(facts, call);
      if (call.settlement === 'hold' || !isKept(call, facts.terms)) leaseIsKept(facts, key, call);
      if (facts.terms.clocksAgree) noneFollows(facts, key, call);
    }
  }
}

function noneFollows({ terms, report }: Facts, { executions }: KeyFacts, call: CallFacts): void {
  const completion = completionOf(call);
  const expiresAt = completion?.after?.expiresAt ?? Number.POSITIVE_INFINITY;
  const keptAt = completion?.at ?? call.reports.find((event) => event.report === 'completed')?.at;
  if (keptAt === undefined) return;
  for (const later of executions) {
    const { id, started } = later;
    if (started.at <= keptAt || id === call.id || isPastRetention(later, expiresAt, terms)) continue;
    report('I4', started.at, `call ${id} executes what call ${call.id} has done and stored`);
  }
}

function isStored({ terms, report }: Facts, call: CallFacts): void {
  const endedAt = call.endedAt ?? 0;
  if (isKept(call, terms) || call.crashedAt !== undefined || call.answeredAt === undefined) return;
  if (!terms.storeSeen) {
    const excuse = call.reports.some((event) => event.report === 'completionFailed' || event.report === 'leaseLost');
    if (!excuse)
      report('I4', endedAt, `call ${call.id} has ended, and its outcome was neither stored nor reported lost`);
    return;
  }
  // An answer may come without the item: then it is read.
  const isTaken = [...call.conflicts, ...call.looks].some(
    ({ at, found }) => at >= endedAt && found !== undefined && found.by !== call.id,
  );
  if (isTaken && (!terms.clocksAgree || call.answeredAt >= leaseEnd(call))) return;
  const hasFailed = call.failures.some(({ at }) => at >= endedAt);
  const isReported = call.reports.some((event) => event.report === 'completionFailed');
  if (hasFailed && isReported) return;
  report('I4', endedAt, `call ${call.id} has ended, and its outcome was not stored without a reason`);
}

/** One tenth of the lease, at most a second, is kept for the answer; one more second is the longest back-off. */
const RESERVE_MILLIS = 2000;

function isTriedWhileThereIsTime({ terms, report }: Facts, call: CallFacts): void {
  const failed = call.reports.find((event) => event.report === 'completionFailed');
  if (failed === undefined || call.endedAt === undefined) return;
  if (call.failures.some(({ at, retryable }) => at >= (call.endedAt ?? 0) && !retryable)) return;
  const { deadline = Number.POSITIVE_INFINITY } = call.called;
  const until =
    Math.min(leaseEnd(call, failed.at), deadline, call.endedAt + terms.patienceMillis) -
    RESERVE_MILLIS -
    (terms.noiseMillis ?? 0);
  if (failed.at < until)
    report('I4', failed.at, `call ${call.id} gave its outcome up ${until - failed.at} ms too early`);
}

/** The least that a last write is given. */
const LAST_WRITE_MILLIS = 1000;

/** I16. However the wall clock steps, its caller does not wait for longer than the outcome's writes may take. */
function isGivenUpInTime({ terms, report }: Facts, call: CallFacts): void {
  const { id, endedAt, answeredAt, steps, conflicts, reports } = call;
  if (endedAt === undefined || answeredAt === undefined || terms.noiseMillis !== undefined) return;
  // A hook may make another outcome of it. What it has met instead of its own record may take a further write.
  const outcomes = 1 + reports.filter(({ report: what }) => /^complet(ed|ionFailed)$/.test(what)).length;
  const tries = outcomes + conflicts.filter(({ at }) => at >= endedAt).length;
  const begun = Math.max(endedAt, ...steps.map((run) => run.endedAt ?? 0));
  const late = answeredAt - begun - tries * (terms.patienceMillis + LAST_WRITE_MILLIS);
  if (late > 0)
    report('I16', answeredAt, `call ${id} is answered ${late} ms after its outcome should have been given up`);
}

function staysUnstored({ report }: Facts, call: CallFacts): void {
  const completion = completionOf(call);
  // What the handler itself has tried to store may have been stored.
  const isTried = ({ text }: { text: string }) =>
    text === completion?.after?.text || completion?.after?.whole === false;
  if (completion === undefined || call.finishings.some(isTried)) return;
  const promise = call.settlement === 'hold' ? 'I7' : 'I4';
  report(promise, completion.at, `call ${call.id} stores an outcome that the policy wants to ${call.settlement}`);
}

/** Neither stored nor released: until the lease is over, nobody knows whether it is still running. */
function leaseIsKept({ terms, report }: Facts, { executions }: KeyFacts, call: CallFacts): void {
  if (call.settlement === 'release' || !terms.clocksAgree || call.started === undefined) return;
  const promise = call.settlement === 'hold' ? 'I7' : 'I4';
  const from = call.timedOutAt ?? call.endedAt ?? 0;
  const own = executions.findIndex(({ id }) => id === call.id);
  for (const { id, started } of executions.slice(own + 1)) {
    if (started.at < from || started.at >= leaseEnd(call)) continue;
    report(promise, started.at, `call ${id} starts before the lease of call ${call.id} is over, which is unsettled`);
  }
}
