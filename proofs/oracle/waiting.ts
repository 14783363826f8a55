import { type CallFacts, type Execution, type Facts, type KeyFacts, leaseEnd } from './facts.ts';
import { LAST_LOOK_MILLIS, patienceOf } from './progress.ts';

/**
 * Callers that wait for another one's outcome, and handlers that are told of their lease: nobody waits longer than he was
 * told to, nobody is refused although the outcome is there, and who watches his signal is told before another one starts.
 */
export function waitersAreServed(facts: Facts): void {
  if (!facts.terms.punctual) return;
  for (const key of facts.keys.values()) {
    for (const call of key.calls) {
      // A transaction that has waited may meet another record afterwards, and wait for that.
      const which = call.called.transaction === true ? 'findLast' : 'find';
      const waiting = call.reports[which](({ report }) => report === 'waiting');
      if (waiting === undefined) continue;
      waitsNoLonger(facts, call, waiting.at);
      if (facts.terms.storeSeen && waiting.at < (call.answeredAt ?? 0)) isRefusedForAReason(facts, call, waiting.at);
    }
    if (facts.terms.clocksAgree) for (const call of key.executions) isToldInTime(facts, key, call);
  }
}

function waitsNoLonger({ terms, report }: Facts, call: CallFacts, began: number): void {
  const { id, called, started, answer, answeredAt = 0, conflicts } = call;
  const { waitMillis = 0, deadline = Number.POSITIVE_INFINITY } = called;
  const noise = terms.noiseMillis ?? 0;
  // A takeover that was tried in vain has had the time of a claim.
  const hasTried = conflicts.some(({ at }) => at > began);
  const trying = called.transaction === true ? Number.POSITIVE_INFINITY : patienceOf(call);
  const until = Math.min(deadline, hasTried ? trying : began + waitMillis + LAST_LOOK_MILLIS);
  if (started === undefined && isInFlight(answer)) {
    const late = answeredAt - until;
    if (late > noise) report('waiting', answeredAt, `call ${id} waits ${late} ms longer than it may`);
  }
  const late = (started?.at ?? 0) - patienceOf(call);
  if (late > noise) report('waiting', answeredAt, `call ${id} takes over ${late} ms after the end of its patience`);
}

/** Where nothing failed on its way, and nobody was faster to take over: it has waited, and then has found him running. */
function isRefusedForAReason({ terms, report }: Facts, call: CallFacts, began: number): void {
  const { id, called, answer, answeredAt = 0, failures, conflicts, looks } = call;
  if (!isInFlight(answer) || failures.length > 0 || conflicts.length > 1) return;
  const last = looks.findLast(({ at }) => at <= answeredAt);
  // A copy of its request may come late, in the very moment in which the caller is told.
  const isFree = looks.every(({ at, found }) => at !== last?.at || found?.status !== 'IN_PROGRESS');
  // A look shows nothing of a transaction that works in SQL before it commits.
  if (looks.length > 0 && isFree && called.repeats !== true) {
    report('waiting', answeredAt, `call ${id} is told that another one is running, and has seen that there is none`);
  }
  const early = began + (called.waitMillis ?? 0) - answeredAt - (terms.noiseMillis ?? 0);
  if (early > 1 && called.deadline === undefined) {
    report('waiting', answeredAt, `call ${id} gives up ${early} ms before it has waited long enough`);
  }
}

function isInFlight(answer: CallFacts['answer']): boolean {
  return answer?.kind === 'refused' && answer.code === 'IN_FLIGHT';
}

function isToldInTime({ report, terms }: Facts, { executions }: KeyFacts, call: Execution): void {
  const { id, started, watchingAt, signalledAt = Number.POSITIVE_INFINITY } = call;
  if (watchingAt === undefined) return;
  const { noiseMillis: noise = 0 } = terms;
  const until = stillRuns(call, noise);
  for (const { id: other, started: next } of executions) {
    if (next.at <= started.at || next.at >= until || other === id || signalledAt - next.at <= noise) continue;
    report('signal', next.at, `call ${other} starts, and call ${id} still runs and was not told`);
  }
  const early = leaseEnd(call, signalledAt - 1, signalledAt) - signalledAt;
  const isLost = call.reports.some(({ report: what }) => what === 'leaseLost');
  // At a timeout, or in an invocation, it is the end of that which counts.
  if (signalledAt >= until || isLost || call.timedOutAt !== undefined || call.called.deadline !== undefined) return;
  if (early > RESERVE_MILLIS) report('signal', signalledAt, `call ${id} is told ${early} ms before its lease ends`);
}

/** A tenth of the lease, and at most this: so long before its end the signal fires. */
const RESERVE_MILLIS = 1000;

/** Until when there is something to stop. A process may be known to be dead only a little later. */
function stillRuns({ endedAt, crashedAt, finished }: Execution, noise: number): number {
  const never = Number.POSITIVE_INFINITY;
  return Math.min(endedAt ?? never, (crashedAt ?? never) - noise, finished?.at ?? never);
}
