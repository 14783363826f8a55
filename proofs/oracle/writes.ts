import type { Seen } from '../lib/history.ts';
import { type CallFacts, type Facts, type KeyFacts, offsetAt, offsetsOf, type Wrote } from './facts.ts';
import { isOwnTransaction } from './transactions.ts';

/** I2, I3, I5 and the table's part of I11, from every write that took effect. */
export function writesAreFenced(facts: Facts): void {
  for (const call of facts.calls.values()) {
    for (const write of call.writes) isFenced(facts, call, write);
    loserChangesNothing(facts, call);
    ownWritesAreRecognised(facts, call);
  }
  if (!facts.terms.clocksAgree) return;
  for (const key of facts.keys.values()) {
    for (const { at, before } of key.deletions) {
      if (isLive(facts.calls, before, at)) facts.report('I11', at, `TTL deletes the live lease of call ${before.by}`);
    }
  }
}

/** Whoever writes over what somebody else wrote must have the right to take over. */
function isFenced(facts: Facts, call: CallFacts, { at, before, after }: Wrote): void {
  if (before === undefined) {
    if (after === undefined) facts.report('I2', at, `call ${call.id} deletes what is not there`);
    return;
  }
  if (after !== undefined && after.attempt < before.attempt) {
    facts.report('I2', at, `call ${call.id} makes the fencing number smaller: ${before.attempt} -> ${after.attempt}`);
  }
  if (before.by === call.id) return;
  // A successor that failed has let go of it: the work that is done must not be forgotten (I4).
  if (before.status === 'RELEASED' && after?.status === 'COMPLETED' && call.endedAt !== undefined) return;
  const isTransaction = call.called.transaction === true && after?.status === 'COMPLETED';
  if (after?.status !== 'IN_PROGRESS' && !isTransaction) {
    const what = after === undefined ? 'deletes' : `writes ${after.status} over`;
    facts.report('I2', at, `call ${call.id} ${what} ${before.status} of call ${before.by}`);
    return;
  }
  if (after.attempt === before.attempt) facts.report('I2', at, `call ${call.id} takes over with a number already used`);
  if (isTransaction && before.status === 'IN_PROGRESS' && facts.terms.onExpiredLease === 'throw') {
    facts.report(
      'at most once',
      at,
      `call ${call.id} writes over call ${before.by}, of which nobody knows what it did`,
    );
  }
  mayTakeOver(facts, call, before, at);
}

/** Clocks that disagree: then what counts is that of the one who takes over. */
function mayTakeOver({ terms, calls, report }: Facts, call: CallFacts, before: Seen, at: number): void {
  const now = at + (terms.clocksAgree ? terms.clockSkewMillis : Math.max(...offsetsOf(call)));
  if (before.status === 'COMPLETED' && now < before.expiresAt) {
    report('I4', at, `call ${call.id} takes over from the outcome of call ${before.by} within its retention`);
  }
  if (now < before.expiresAt && calls.get(before.by)?.called.payload !== call.called.payload) {
    report('I5', at, `call ${call.id} takes over from call ${before.by}, which had another payload`);
  }
  if (terms.clocksAgree && isLive(calls, before, at)) {
    report('I1', at, `call ${call.id} takes over the live lease of call ${before.by}`);
  }
}

function isLive(calls: Facts['calls'], { status, leaseUntil, by }: Seen, at: number): boolean {
  const owner = calls.get(by);
  const offset = owner === undefined ? 0 : offsetAt(owner, at);
  return status === 'IN_PROGRESS' && leaseUntil !== undefined && at < leaseUntil - offset;
}

const LOST = ['IN_FLIGHT', 'KEY_REUSED', 'OUTCOME_UNKNOWN', 'RESPONSE_NOT_REPLAYABLE', 'KEY_MISSING', 'KEY_INVALID'];

/** Who neither executed nor might have: a replay, or a refusal. What a given-up copy writes, nobody can prevent. */
function loserChangesNothing(facts: Facts, call: CallFacts): void {
  const { answer, answeredAt, started } = call;
  if (answer === undefined || answeredAt === undefined || started !== undefined) return;
  if (answer.kind === 'refused' && !LOST.includes(answer.code)) return;
  if (isOwnTransaction(call)) return;
  for (const write of call.writes) {
    if (write.stray || isTakenOver(facts, call, write, answeredAt)) continue;
    const isOwnClaim = write.after?.status === 'IN_PROGRESS' && write.after.by === call.id;
    const what = isOwnClaim ? 'its own claim' : `${write.before?.status} -> ${write.after?.status ?? 'nothing'}`;
    facts.report(isOwnClaim ? 'I3' : 'I5', write.at, `call ${call.id} was refused or answered, but wrote ${what}`);
  }
}

/** A claim that was answered so late that another one has come: it was no loser when it wrote. */
function isTakenOver(facts: Facts, call: CallFacts, { key, at, after }: Wrote, until: number): boolean {
  if (after?.by !== call.id) return false;
  return keyFacts(facts, key).timeline.some(
    (change) => change.at >= at && change.at <= until && change.seen?.by !== call.id,
  );
}

/** `LEASE_LOST`, told to the caller or by an event, needs somebody who took over. */
function ownWritesAreRecognised(facts: Facts, call: CallFacts): void {
  const lost = call.reports.find(({ report }) => report === 'leaseLost');
  if (lost === undefined) return;
  const { timeline } = keyFacts(facts, call.called.key);
  const successor = timeline.some(({ at, seen }) => at >= call.called.at && at <= lost.at && seen?.by !== call.id);
  if (!successor) facts.report('I3', lost.at, `call ${call.id} has lost its lease to nobody`);
}

function keyFacts({ keys }: Facts, key: string): KeyFacts {
  const found = keys.get(key);
  if (found === undefined) throw new Error(`history: a write under a key of no call: ${key}`);
  return found;
}
