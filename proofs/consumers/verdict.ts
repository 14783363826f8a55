import { type LedgerEntry, trialBalance } from '../../infra/ledger/booking.ts';

/** Money that has moved, as the API has answered it. */
export interface Moved {
  readonly type: LedgerEntry['type'];
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
}

export interface Found {
  readonly moved: readonly Moved[];
  readonly entries: readonly LedgerEntry[];
  /** The messages that nobody can book. */
  readonly poison: readonly string[];
  /** What the dead-letter queue has in the end. */
  readonly deadLetters: readonly string[];
  /** How many messages are still in the queue. */
  readonly left: number;
}

/** What must hold, and does not: nothing of the code that booked is asked. */
export function violationsOf({ moved, entries, poison, deadLetters, left }: Found): string[] {
  const balance = trialBalance(entries);
  return [
    ...differences(moved.flatMap(sidesOf), entries.map(describe), 'is not booked', 'is booked once too often'),
    ...(balance === 0 ? [] : [`the ledger's sum is ${balance}, not 0`]),
    ...differences(poison, deadLetters, 'is poison and not in the dead-letter queue', 'is dead and no poison'),
    ...(left === 0 ? [] : [`${left} messages are still in the queue`]),
  ];
}

/** What the accounts must have for it, written down here a second time. */
function sidesOf({ type, amount, ...of }: Moved): string[] {
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
