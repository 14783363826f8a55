import type { LedgerEntry, LedgerReader } from '../../ledger/booking.ts';
import type { Payment } from '../../payments/payment.ts';
import type { SeenCharge } from '../watched-processor.ts';

export type SeenPayment = Pick<Payment, 'id' | 'amount' | 'currency' | 'chargeId' | 'createdAt' | 'metadata'>;

/** What the page shows of a database. */
export interface Look {
  /** The record as it is stored, `undefined` where there is none. */
  record(id: string): Promise<unknown>;
  /** Those made since this time, ISO 8601, in any order. */
  payments(since: string): Promise<SeenPayment[]>;
}

export interface PageState {
  readonly record: unknown;
  readonly charges: readonly SeenCharge[];
  readonly payments: readonly SeenPayment[];
  /** Those of the payments. */
  readonly entries: readonly LedgerEntry[];
}

export interface PageSources {
  readonly look: Look;
  readonly ledger: LedgerReader;
  readonly processor: { readonly seen: readonly SeenCharge[] };
}

/** What is true now of one record, and of everything that was paid since the given time. */
export async function pageState(
  { look, ledger, processor }: PageSources,
  { recordId, since }: { readonly recordId: string | undefined; readonly since: string },
): Promise<PageState> {
  const [record, payments, entries] = await Promise.all([
    recordId === undefined ? undefined : look.record(recordId),
    look.payments(since),
    ledger.read(),
  ]);
  const ids = new Set(payments.map(({ id }) => id));
  return {
    record,
    charges: processor.seen,
    payments: payments.toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1)),
    entries: entries.filter(({ payment }) => ids.has(payment)),
  };
}
