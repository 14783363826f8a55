import { type LedgerEntry, trialBalance } from '../../infra/ledger/booking.ts';
import type { Movement } from './watched-processor.ts';

/** Money that has moved, as the API has answered it. */
export interface Moved {
  readonly type: LedgerEntry['type'];
  readonly payment: string;
  /** The payment's charge at the processor. */
  readonly charge: string;
  readonly amount: number;
  readonly currency: string;
}

export interface Found {
  readonly moved: readonly Moved[];
  /** What the processor has charged and paid out. */
  readonly movements: readonly Movement[];
  readonly entries: readonly LedgerEntry[];
  /** The messages that nobody can book. */
  readonly poison: readonly string[];
  /** What the dead-letter queue has in the end. */
  readonly deadLetters: readonly string[];
  /** How many messages are still in the queue. */
  readonly left: number;
  /** How many records have vanished under way. */
  readonly vanished: number;
}

/** What must hold, and does not: nothing of the code that booked is asked. */
export function violationsOf({ moved, movements, entries, poison, deadLetters, left, vanished }: Found): string[] {
  const balance = trialBalance(entries);
  const charges = new Map(moved.map(({ payment, charge }) => [payment, charge]));
  const received = entries.filter(({ account }) => account === 'receivable');
  // Without its record, a further copy of an event is refused by its entry.
  const isLateCopy = (body: string) =>
    vanished > 0 && !poison.includes(body) && entries.some(({ entry }) => body.includes(`"id":"${entry}"`));
  const dead = deadLetters.filter((body) => !isLateCopy(body));
  return [
    ...differences(
      movements.map((movement) => atProcessor(movement, movement.charge)),
      received.map((entry) => atProcessor(entry, charges.get(entry.payment) ?? `nothing, for ${entry.payment}`)),
      'by the processor is not in the ledger',
      'is in the ledger, and not by the processor',
    ),
    ...differences(moved.flatMap(sidesOf), entries.map(describe), 'is not booked', 'is booked once too often'),
    ...(balance === 0 ? [] : [`the ledger's sum is ${balance}, not 0`]),
    ...differences(poison, dead, 'is poison and not in the dead-letter queue', 'is dead and no poison'),
    ...(left === 0 ? [] : [`${left} messages are still in the queue`]),
  ];
}

function atProcessor({ type, amount, currency }: Omit<Movement, 'charge'>, charge: string): string {
  return `${type} of ${charge}: ${Math.abs(amount)} ${currency}`;
}

/** What the accounts must have for it, written down here a second time. */
function sidesOf({ type, amount, charge: _, ...of }: Moved): string[] {
  const sign = { 'payment-captured': 1, 'payment-refunded': -1 }[type];
  return [
    describe({ ...of, type, account: 'receivable', amount: sign * amount }),
    describe({ ...of, type, account: 'sales', amount: -sign * amount }),
  ];
}

function describe(entry: Pick<LedgerEntry, 'type' | 'payment' | 'account' | 'amount' | 'currency'>): string {
  return `${entry.type} of ${entry.payment}: ${entry.account} ${entry.amount} ${entry.currency}`;
}

/** Every one that is missing, and every one that is there too often. */
function differences(expected: readonly string[], found: readonly string[], missing: string, extra: string): string[] {
  const counts = new Map<string, number>();
  for (const one of expected) counts.set(one, (counts.get(one) ?? 0) + 1);
  for (const one of found) counts.set(one, (counts.get(one) ?? 0) - 1);
  return [...counts].flatMap(([one, count]) =>
    Array.from({ length: Math.abs(count) }, () => `${one} ${count > 0 ? missing : extra}`),
  );
}
