import {
  type CallFacts,
  completionOf,
  type Execution,
  type Facts,
  isPastRetention,
  type KeyFacts,
  leaseEnd,
  offsetAt,
  releasedAt,
} from './facts.ts';

/** I1, and what goes with it: at most once where that was asked for, fencing numbers that only grow. */
export function oneOwner(facts: Facts): void {
  for (const call of facts.calls.values()) startsWithinItsLease(facts, call);
  for (const key of facts.keys.values()) {
    for (const [index, later] of key.executions.entries()) {
      for (const earlier of key.executions.slice(0, index)) {
        if (facts.terms.clocksAgree) {
          isOver(facts, earlier, later);
          if (facts.terms.onExpiredLease === 'throw') atMostOnce(facts, earlier, later);
        }
        numberGrows(facts, key, earlier, later);
      }
    }
  }
}

function startsWithinItsLease({ report, terms }: Facts, call: CallFacts): void {
  const { id, started } = call;
  if (started === undefined) return;
  const late = started.at + offsetAt(call, started.at) - started.leaseUntil;
  if (late >= (terms.noiseMillis ?? 0)) report('I1', started.at, `call ${id} starts ${late} ms after its own lease`);
}

/** After a crash nobody can know whether the execution still runs: its lease counts. */
function isOver({ report }: Facts, earlier: Execution, { id, started }: Execution): void {
  const over = Math.min(endOf(earlier), leaseEnd(earlier, started.at));
  if (started.at < over) report('I1', started.at, `call ${id} starts while call ${earlier.id} runs within its lease`);
}

/** A step that goes on when the handler has failed belongs to it. */
function endOf({ endedAt = Number.POSITIVE_INFINITY, steps }: Execution): number {
  return Math.max(endedAt, ...steps.map((run) => run.endedAt ?? Number.POSITIVE_INFINITY));
}

/** `onExpiredLease: 'throw'`: only a release, or a retention that is over, lets another one execute. */
function atMostOnce({ terms, report }: Facts, earlier: Execution, later: Execution): void {
  const { id, started } = later;
  const released = releasedAt(earlier, terms);
  if (released !== undefined && released <= started.at) return;
  const expiresAt = completionOf(earlier)?.after?.expiresAt;
  if (expiresAt !== undefined && isPastRetention(later, expiresAt, terms)) return;
  if (!terms.storeSeen && earlier.settlement !== 'hold' && earlier.endedAt !== undefined) return;
  report('at most once', started.at, `call ${id} executes although what became of call ${earlier.id} is unknown`);
}

/** As long as the record is kept. */
function numberGrows({ terms, report }: Facts, key: KeyFacts, earlier: Execution, later: Execution): void {
  // Whose clock is wrong may start after its own successor.
  if (!terms.clocksAgree && later.started.attempt < earlier.started.attempt) return;
  if (later.started.attempt > earlier.started.attempt) return;
  const isForgotten = key.deletions.some(({ at }) => at >= earlier.called.at && at <= later.started.at);
  if (isForgotten) return;
  const { attempt, at } = later.started;
  report('I2', at, `call ${later.id} has the fencing number ${attempt}, which is not above that of call ${earlier.id}`);
}
