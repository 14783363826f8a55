import type { Context, SQSRecord } from 'aws-lambda';
import { idempotentTransaction, type RecordStore } from 'middy-idempotency';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import { parsePaymentEvent } from '../outbox/payment-event.ts';
import { BOOKING, bookedResponse, type ConsumerOptions, consumerOf, reporting } from './booking-terms.ts';
import type { Ledger } from './dynamodb-ledger.ts';

export interface LedgerConsumerOptions extends ConsumerOptions {
  readonly store: RecordStore<TransactionItem>;
  readonly ledger: Pick<Ledger, 'booking'>;
}

/** Books every event once, however often it is sent and delivered: its entries and its record are written in one transaction. */
export function createLedgerConsumer({ store, ledger, onEvent }: LedgerConsumerOptions) {
  return consumerOf(
    idempotentTransaction(
      (_, { body }: SQSRecord, _context: Context) => {
        const event = parsePaymentEvent(body);
        return { items: ledger.booking(event), response: bookedResponse(event) };
      },
      { store, ...BOOKING, ...reporting(onEvent) },
    ),
  );
}
