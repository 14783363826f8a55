import {
  type CallFacts,
  completionOf,
  type Execution,
  type Facts,
  isPastRetention,
  type KeyFacts,
  type Wrote,
} from './facts.ts';

/**
 * `complete` and `transact`. Once a handler was told that its response is stored, nothing is executed again, and no failure
 * takes the response's place. The effect of a transaction and its outcome are both there, or neither, and once for a key.
 */
export function finishedStaysFinished(facts: Facts): void {
  for (const key of facts.keys.values()) {
    for (const call of key.executions) {
      if (facts.terms.storeSeen) isStored(facts, call);
      noneFollows(facts, key, call);
    }
    if (!facts.terms.storeSeen) continue;
    for (const call of key.calls) isAllOrNothing(facts, call);
    if (facts.terms.clocksAgree) happensOnce(facts, key);
  }
}

function isStored({ report }: Facts, call: Execution): void {
  const { id, finished, finishes, finishings, kept, outcome } = call;
  if (finished === undefined) return;
  for (const { at, text } of finishes) {
    const isThere = (write: Wrote) => write.at <= at && (write.after?.text === text || write.after?.whole === false);
    if (!call.writes.some(isThere))
      report('finished', at, `call ${id} was told that '${text}' is stored, and it is not`);
  }
  const completion = completionOf(call)?.after;
  if (completion?.whole === false) return;
  const last = completion?.text;
  const isTried = finishings.some(({ at, text }) => at >= finished.at && text === last);
  if (kept !== undefined && last !== kept && !isTried) {
    report('finished', call.endedAt ?? finished.at, `call ${id} has failed after '${kept}', and '${last}' is stored`);
  }
  const isOwn = finishings.some(({ text }) => text === last) || outcome === undefined || outcome.text === last;
  if (!isOwn && outcome?.notReplayable !== true) {
    report('finished', finished.at, `call ${id} has stored '${finished.text}', and '${last}' is stored in the end`);
  }
}

function noneFollows({ terms, report }: Facts, { executions }: KeyFacts, call: Execution): void {
  const { id, finished } = call;
  if (finished === undefined || !terms.clocksAgree) return;
  const expiresAt = completionOf(call)?.after?.expiresAt ?? Number.POSITIVE_INFINITY;
  for (const later of executions) {
    if (later === call || later.started.at <= finished.at || isPastRetention(later, expiresAt, terms)) continue;
    report('finished', later.started.at, `call ${later.id} executes what call ${id} has finished`);
  }
}

function isAllOrNothing({ report }: Facts, { id, writes, effects, finishings }: CallFacts): void {
  const responses = finishings.filter(({ by }) => by === 'transact').map(({ text }) => text);
  const isOutcome = (write: (typeof writes)[number]) =>
    write.after?.status === 'COMPLETED' && responses.some((text) => text === write.after?.text);
  // Of an outcome whose parts were lost nobody can tell what it was.
  const mayBeOutcome = (write: (typeof writes)[number]) => isOutcome(write) || write.after?.whole === false;
  for (const { at } of effects) {
    if (!writes.some((write) => write.at === at && mayBeOutcome(write))) {
      report('transaction', at, `the transaction of call ${id} takes effect without its outcome`);
    }
  }
  for (const write of writes) {
    if (isOutcome(write) && !effects.some(({ at }) => at <= write.at)) {
      report('transaction', write.at, `the outcome of call ${id} is stored without the effect of its transaction`);
    }
  }
}

/** Within the retention of the outcome that was stored with it. */
function happensOnce({ terms, report }: Facts, { key, effects, deletions }: KeyFacts): void {
  for (const [index, { at, call }] of effects.entries()) {
    const earlier = effects[index - 1];
    if (earlier === undefined) continue;
    const stored = earlier.call.writes.find((write) => write.at === earlier.at && write.after?.status === 'COMPLETED');
    const expiresAt = stored?.after?.expiresAt ?? Number.POSITIVE_INFINITY;
    // Of a transaction, a copy may arrive when its record was deleted.
    const isDeleted = deletions.some((deletion) => deletion.at >= earlier.at && deletion.at <= at);
    const isForgotten =
      call.called.transaction === true
        ? at + terms.clockSkewMillis >= expiresAt && (earlier.call !== call || isDeleted)
        : earlier.call !== call && call.started !== undefined && isPastRetention(call as Execution, expiresAt, terms);
    if (isForgotten) continue;
    report('transaction', at, `the effect of ${key} happens again, by call ${call.id} after call ${earlier.call.id}`);
  }
}
