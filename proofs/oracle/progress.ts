import type { CallFacts, Facts } from './facts.ts';

/**
 * Nobody waits for ever. A caller is answered unless its process died or its handler never ended; and a `probe`, a
 * request that comes once the faults have stopped and every lease is over, gets an outcome.
 */
export function everybodyGetsOn(facts: Facts): void {
  for (const call of facts.calls.values()) {
    isAnswered(facts, call);
    if (facts.terms.punctual) isRefusedInTime(facts, call);
    if (call.called.probe === true) getsThrough(facts, call);
  }
}

function isAnswered({ report }: Facts, { id, called, started, endedAt, answer, crashedAt }: CallFacts): void {
  if (answer !== undefined || crashedAt !== undefined) return;
  if (started !== undefined && endedAt === undefined) return;
  report('progress', endedAt ?? called.at, `call ${id} is never answered`);
}

/** A store that hangs is given up while there is still time to say so. */
function isRefusedInTime({ report, terms }: Facts, call: CallFacts): void {
  const { id, answer, answeredAt = 0, started } = call;
  if (answer?.kind !== 'refused' || answer.code !== 'STORE_UNAVAILABLE' || started !== undefined) return;
  // It has no lease: see `transactions`.
  if (call.called.transaction === true) return;
  const late = answeredAt - patienceOf(call);
  if (late > (terms.noiseMillis ?? 0))
    report('I1', answeredAt, `call ${id} learns ${late} ms after its lease that the store hangs`);
}

/** The end of a lease that begins with the request, after the time that it may wait for another one's outcome. */
export function patienceOf({ called, reports }: CallFacts): number {
  const { at, leaseMillis, waitMillis = 0 } = called;
  const waiting = reports.find(({ report }) => report === 'waiting');
  const waited = waiting === undefined ? 0 : waiting.at + waitMillis + LAST_LOOK_MILLIS;
  return Math.max(at + leaseMillis + waitMillis, waited);
}

/** The last look of a request that waits must be answered, too. */
export const LAST_LOOK_MILLIS = 250;

function getsThrough({ terms, calls, keys, report }: Facts, call: CallFacts): void {
  const { id, answer, called, answeredAt = called.at } = call;
  if (answer === undefined || answer.kind !== 'refused') return;
  const others = [...calls.values()].filter((other) => other.called.key === called.key);
  switch (answer.code) {
    case 'RESPONSE_NOT_REPLAYABLE':
      return;
    case 'RECORD_INVALID':
      // A step that is done does not run again, and its result is gone.
      if (keys.get(called.key)?.lostParts.length !== 0) return;
      break;
    case 'OUTCOME_UNKNOWN':
      if (terms.onExpiredLease === 'throw') return;
      break;
    case 'KEY_REUSED':
      if (others.some((other) => other.called.payload !== called.payload)) return;
  }
  report('progress', answeredAt, `key ${called.key} is stuck: call ${id} gets ${answer.code} when all is well again`);
}
