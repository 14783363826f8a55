import { balancesOf, trialBalance } from '../../infra/ledger/booking.ts';
import type { Outcome } from './run.ts';
import type { Progress } from './waiting.ts';

/** The figures of a run, one a line. */
export function figures(outcome: Outcome): string[] {
  const { found, reports, repeated, kept, kills, reuses, vanished, seconds, violations } = outcome;
  const { moved, entries, poison, deadLetters } = found;
  const refunds = moved.filter(({ type }) => type === 'payment-refunded').length;
  const count = (type: Parameters<typeof reports.get>[0]) => reports.get(type) ?? 0;
  const balances = Object.entries(balancesOf(entries)).map(([name, amount]) => `${name} ${amount}`);
  return [
    `events        ${moved.length}: ${moved.length - refunds} payments, ${refunds} refunds`,
    `duplicates    ${repeated} events published twice, ${kept} deletions lost`,
    `poison        ${poison.length} messages`,
    `killed        ${kills} processes in the middle of an invocation`,
    `keys reused   ${reuses.refused} refused, ${reuses.accepted} accepted when the record had vanished`,
    `vanished      ${vanished.running} records of running executions, ${vanished.completed} with an outcome`,
    `processor     ${found.movements.length} charges and refunds`,
    `executions    ${count('claimed') + count('takenOver')}, of which ${count('takenOver')} after a failure or a crash`,
    `replays       ${count('replayed')}`,
    `rejected      ${count('inFlight')} in flight elsewhere, ${count('keyReused')} with another text`,
    `booked        ${entries.length} entries of ${entries.length / 2} events`,
    `balances      ${balances.join(', ')}`,
    `ledger's sum  ${trialBalance(entries)}`,
    `dead letters  ${deadLetters.length}`,
    `violations    ${violations.length}`,
    `seconds       ${seconds.toFixed(1)}`,
  ];
}

export function progressLine({ moved, booked, waiting, dead }: Progress): string {
  return `${moved} paid, ${booked} reported as booked, ${waiting} in the queue, ${dead} dead`;
}

/** For a person to look into. */
export function explain({ violations }: Outcome, most = 20): string[] {
  const rest = violations.length - most;
  return [...violations.slice(0, most), ...(rest > 0 ? [`and ${rest} more`] : [])];
}
