import type pg from 'pg';
import type { PaymentEvent } from '../outbox/payment-event.ts';
import { bookingOf, type LedgerEntry, type LedgerReader } from './booking.ts';

/** Books an event. @throws where it is booked already: an account has one entry for it */
export async function book(tx: Pick<pg.PoolClient, 'query'>, event: PaymentEvent): Promise<void> {
  for (const { account, entry, amount, currency, type, payment, occurredAt } of bookingOf(event)) {
    // The guard's record expires, the entry does not: an event that comes after it is refused, not booked.
    await tx.query(
      `INSERT INTO ledger (account, entry, amount, currency, type, payment, occurred_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [account, entry, amount, currency, type, payment, occurredAt],
    );
  }
}

/** Entries in the table `ledger` of `schema.sql`. */
export function postgresLedger(pool: pg.Pool): LedgerReader {
  return {
    async read() {
      const { rows } = await pool.query<LedgerEntry>(
        'SELECT account, entry, amount, currency, type, payment, occurred_at AS "occurredAt" FROM ledger',
      );
      return rows;
    },
  };
}
