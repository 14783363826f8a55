import type { HistoryEvent, Violation } from '../lib/history.ts';
import { judge } from '../oracle/oracle.ts';
import type { Entry } from './journal.ts';
import { CLOCK_SKEW_MILLIS, KINDS, type Kind, keyOfCall, kindOf } from './terms.ts';
import type { Witness } from './witness.ts';

/** Even where nothing is held up, a timer fires a little late. */
const TIMER_MILLIS = 100;

/** A guard waits for one timer after the other, and each may be held up: for the claim, and for taking it back. */
const TIMERS = 3;

/** How long a guard tries to write an outcome where nothing tells when the caller stops waiting. */
const PATIENCE_MILLIS = 10_000;

export interface Verdict {
  readonly violations: readonly Violation[];
  /** The events of both, by time. */
  readonly events: readonly HistoryEvent[];
  /** How long a process was held up at the worst: so late may anything be that happened there. */
  readonly heldUpMillis: number;
}

/** Puts together what the processes wrote down and what was seen at the table, and lets the oracle judge it. */
export function verdict(journals: readonly Entry[], witness: Pick<Witness, 'events' | 'violations'>): Verdict {
  let heldUpMillis = 0;
  const all = [...witness.events];
  for (const entry of journals) {
    if (entry.type === 'heldUp') heldUpMillis = Math.max(heldUpMillis, entry.millis);
    else all.push(entry);
  }
  const events = all.sort((a, b) => a.at - b.at);
  const violations = (Object.keys(KINDS) as Kind[]).flatMap((kind) =>
    judge({
      terms: {
        clockSkewMillis: CLOCK_SKEW_MILLIS,
        onExpiredLease: KINDS[kind].onExpiredLease,
        clocksAgree: true,
        punctual: true,
        storeSeen: true,
        patienceMillis: PATIENCE_MILLIS,
        noiseMillis: TIMERS * (TIMER_MILLIS + heldUpMillis),
      },
      events: events.filter((event) => kindOf('call' in event ? keyOfCall(event.call) : event.key) === kind),
    }),
  );
  return { violations: [...witness.violations, ...violations], events, heldUpMillis };
}
