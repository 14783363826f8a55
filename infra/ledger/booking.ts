import type { PaymentEvent } from '../outbox/payment-event.ts';

/** `receivable`: what the payment processor owes us. `sales`: what we have earned. */
export const ACCOUNTS = ['receivable', 'sales'] as const;

/** One side of a booking. It is never changed, nor removed. */
export interface LedgerEntry {
  readonly account: (typeof ACCOUNTS)[number];
  /** The id of the event that it books: an account has one entry for it. */
  readonly entry: string;
  /** In the currency's minor unit: a debit is above zero, a credit below. */
  readonly amount: number;
  readonly currency: string;
  readonly type: PaymentEvent['type'];
  readonly payment: string;
  readonly occurredAt: string;
}

/** What the accounts have. */
export interface LedgerReader {
  /** Every entry of every account. */
  read(): Promise<LedgerEntry[]>;
}

/** Double entry: what one account gets, the other one gives. */
export function bookingOf(event: PaymentEvent): readonly LedgerEntry[] {
  const { id: entry, type, payment, currency, occurredAt } = event;
  const earned = type === 'payment-captured' ? event.amount : -event.amount;
  const of = { entry, currency, type, payment, occurredAt };
  return [
    { account: 'receivable', amount: earned, ...of },
    { account: 'sales', amount: -earned, ...of },
  ];
}

/** What the accounts hold, by account and currency. */
export function balancesOf(entries: Iterable<LedgerEntry>): Record<string, number> {
  const balances: Record<string, number> = {};
  for (const { account, currency, amount } of entries) {
    const name = `${account} ${currency}`;
    balances[name] = (balances[name] ?? 0) + amount;
  }
  return balances;
}

/** Zero, as long as nothing is booked on one side only. */
export function trialBalance(entries: Iterable<LedgerEntry>): number {
  let sum = 0;
  for (const { amount } of entries) sum += amount;
  return sum;
}
