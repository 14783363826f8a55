import { type Ending, LOST_RESULT } from '../lib/history.ts';
import { type CallFacts, completionOf, type Facts, isKept, type KeyFacts, offsetsOf, type Wrote } from './facts.ts';
import { isOwnFailure, isOwnTransaction } from './transactions.ts';

/** I8, I12, `parts`, the callers' part of I11, and that an outcome goes only to requests with its payload. */
export function answersAreTheSame(facts: Facts): void {
  for (const key of facts.keys.values()) {
    for (const call of key.calls) {
      if (facts.terms.storeSeen) for (const write of call.writes) isWhole(facts, key, write);
      if (call.answer === undefined) continue;
      if (call.outcome !== undefined && call.timedOutAt === undefined) ownAnswer(facts, key, call, call.outcome);
      else if (call.started === undefined) otherAnswer(facts, key, call);
    }
    if (!facts.terms.storeSeen) oneOutcome(facts, key);
  }
}

/** Who executed gets what he ended with, or, if he came too late, what his successor did. */
function ownAnswer(facts: Facts, key: KeyFacts, call: CallFacts, outcome: Ending): void {
  const { report } = facts;
  const { id, answer, answeredAt: at = 0 } = call;
  if (answer === undefined) return;
  if (outcome.kind === 'threw') {
    if (!isSame(answer, outcome))
      report('I12', at, `call ${id} threw '${outcome.text}', its caller got ${say(answer)}`);
    return;
  }
  if (isSame(answer, outcome)) {
    isWhatIsStored(facts, call, outcome);
    return;
  }
  if (answer.kind !== 'refused') {
    isSomebodys(facts, key, call, answer);
    return;
  }
  const isLost = call.reports.some((event) => event.report === 'leaseLost');
  if (isLost && (answer.code === 'LEASE_LOST' || answer.code === 'RESPONSE_NOT_REPLAYABLE')) return;
  report('I12', at, `call ${id} returned '${outcome.text}', and its caller got ${say(answer)}`);
}

/** Unless the last write of it, which amends an earlier one, could not be made, or came after the retention. */
function isWhatIsStored({ report }: Facts, call: CallFacts, outcome: Ending): void {
  const stored = completionOf(call)?.after;
  if (stored === undefined || stored.whole === false || outcome.notReplayable === true) return;
  if (stored.text === (call.kept ?? outcome.text)) return;
  // It was not known to be stored, and nothing else was to take its place.
  const isOpen = call.settlement !== 'store' || call.kept !== undefined;
  if (isOpen && call.finishings.some(({ text }) => text === stored.text)) return;
  if (call.reports.some(({ report: what }) => what === 'completionFailed' || what === 'leaseLost')) return;
  report('I8', call.answeredAt ?? 0, `call ${call.id} answered '${outcome.text}', and '${stored.text}' is stored`);
}

function otherAnswer(facts: Facts, key: KeyFacts, call: CallFacts): void {
  const { answer } = call;
  if (answer === undefined || isOwnFailure(call)) return;
  // An outcome whose parts were lost cannot be compared.
  if (isOwnTransaction(call) && call.writes.some(({ after }) => after?.whole === false)) return;
  if (answer.kind !== 'refused') {
    isSomebodys(facts, key, call, answer);
    return;
  }
  if (answer.code === 'RESPONSE_NOT_REPLAYABLE') {
    const source = key.calls.find((other) => other.outcome?.notReplayable === true);
    const isLost = key.lostParts.some(({ at }) => at <= (call.answeredAt ?? 0));
    if (source === undefined && !isLost)
      facts.report('I8', call.answeredAt ?? 0, `call ${call.id}: no response was unreplayable`);
  }
  if (answer.code === 'KEY_REUSED' && key.calls.every(({ called }) => called.payload === call.called.payload)) {
    facts.report('I5', call.answeredAt ?? 0, `call ${call.id} is told of another payload, and there was none`);
  }
}

/** Whoever finds a record finds all the parts that it names, unless they were lost by other hands. */
function isWhole({ report }: Facts, { lostParts }: KeyFacts, { call, at, after }: Wrote): void {
  if (after === undefined || at >= after.expiresAt || lostParts.some((lost) => lost.at <= at)) return;
  if (after.whole === false) report('parts', at, `call ${call} stores an outcome whose parts are not there`);
  if (Object.values(after.checkpoints ?? {}).includes(LOST_RESULT))
    report('parts', at, `call ${call} stores a step whose item is not there`);
}

/** A replay is the stored outcome of an execution with this payload, and not past its retention. */
function isSomebodys(facts: Facts, key: KeyFacts, call: CallFacts, answer: Ending): void {
  const { terms, report } = facts;
  const { id, called, answeredAt: at = 0 } = call;
  const source = key.calls.find((other) => endedWith(other, answer));
  if (source === undefined) {
    report('I8', at, `call ${id} gets ${say(answer)}, which no execution of it ended with`);
    return;
  }
  if (source.called.payload !== called.payload) {
    report('I8', at, `call ${id} gets the outcome of call ${source.id}, which had another payload`);
  }
  if (!terms.storeSeen) return;
  const stored = storedMeanwhile(key, call, answer);
  if (stored === undefined) {
    report('I8', at, `call ${id} gets an outcome of call ${source.id} that was not stored then`);
  } else if (called.at + Math.min(...offsetsOf(call)) >= stored.expiresAt && call.started === undefined) {
    // The caller's own clock decides, and it never showed less.
    report('I11', at, `call ${id} gets the outcome of call ${source.id}, whose retention is over`);
  }
}

/** Ended with it, or stored it: before its end, or before a hook behind the handler made something else of it. */
function endedWith({ outcome, finishings, writes }: CallFacts, answer: Ending): boolean {
  if (outcome === undefined) return finishings.some(({ text }) => answer.kind === 'returned' && text === answer.text);
  if (isSame(outcome, answer)) return true;
  return writes.some(({ after }) => after?.status === 'COMPLETED' && after.text === answer.text);
}

/** What the table had with this text at some time between the request and its answer. */
function storedMeanwhile({ timeline }: KeyFacts, { called, answeredAt = 0 }: CallFacts, { text }: Ending) {
  for (const [index, { at, seen }] of timeline.entries()) {
    const until = timeline[index + 1]?.at ?? Number.POSITIVE_INFINITY;
    if (at <= answeredAt && until >= called.at && seen?.status === 'COMPLETED' && seen.text === text) return seen;
  }
  return undefined;
}

/** Without sight of the store: of all that callers got, only what could not be stored may differ. */
function oneOutcome({ terms, report }: Facts, { calls, key }: KeyFacts): void {
  const texts = new Map<string, string>();
  for (const call of calls) {
    const { answer, outcome, settlement } = call;
    if (answer === undefined || answer.kind === 'refused') continue;
    const isOwn = outcome !== undefined && isSame(answer, outcome);
    if (isOwn && (settlement !== 'store' || !isKept(call, terms))) continue;
    texts.set(`${call.called.payload} ${answer.kind} ${answer.text}`, call.id);
  }
  if (texts.size > 1) report('I8', 0, `callers of ${key} got different outcomes: ${[...texts.keys()].join('; ')}`);
}

function isSame(a: { kind: string; text?: string }, b: Ending): boolean {
  return a.kind === b.kind && a.text === b.text;
}

function say(answer: { kind: string; text?: string; code?: string }): string {
  return answer.kind === 'refused' ? String(answer.code) : `'${answer.text}'`;
}
