import type { Context, SQSRecord } from 'aws-lambda';
import { idempotentTransaction, type PostgresStore } from 'middy-idempotency/postgres';
import type pg from 'pg';
import { parsePaymentEvent } from '../outbox/payment-event.ts';
import { BOOKING, bookedResponse, type ConsumerOptions, consumerOf, reporting } from './booking-terms.ts';
import { book } from './postgres-ledger.ts';

export interface PostgresLedgerConsumerOptions extends ConsumerOptions {
  readonly store: PostgresStore<pg.PoolClient>;
}

/** `createLedgerConsumer` in PostgreSQL: its entries and its record are written in one transaction, too. */
export function createPostgresLedgerConsumer({ store, onEvent }: PostgresLedgerConsumerOptions) {
  return consumerOf(
    idempotentTransaction(
      async (tx: pg.PoolClient, _, { body }: SQSRecord, _context: Context) => {
        const event = parsePaymentEvent(body);
        await book(tx, event);
        return bookedResponse(event);
      },
      { store, ...BOOKING, ...reporting(onEvent) },
    ),
  );
}
