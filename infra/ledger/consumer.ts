import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type IdempotencyEvent, idempotentTransaction, type RecordStore } from 'middy-idempotency';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import { sqsBodyKey } from 'middy-idempotency/events';
import { parsePaymentEvent } from '../outbox/payment-event.ts';
import type { Ledger } from './dynamodb-ledger.ts';
import { BOOKED_DAYS } from './terms.ts';

export interface LedgerConsumerOptions {
  readonly store: RecordStore<TransactionItem>;
  readonly ledger: Pick<Ledger, 'booking'>;
  /** @default none */
  readonly onEvent?: (event: IdempotencyEvent) => void;
}

/**
 * Books every event once, however often it is sent and delivered: its entries and its record are
 * written in one transaction. A message that cannot be booked is reported as failed, and ends in
 * the dead-letter queue. So does a message that has the id of a booked one, and another text.
 */
export function createLedgerConsumer({ store, ledger, onEvent }: LedgerConsumerOptions) {
  const bookOnce = idempotentTransaction(
    (_, { body }: SQSRecord, _context: Context) => {
      const event = parsePaymentEvent(body);
      return { items: ledger.booking(event), response: { event: event.id, payment: event.payment } };
    },
    {
      store,
      operation: 'book-payment-event',
      key: sqsBodyKey('id'),
      fingerprint: 'body',
      retentionSeconds: BOOKED_DAYS * 86_400,
      ...(onEvent !== undefined && { onEvent, warnings: false }),
    },
  );
  const processor = new BatchProcessor(EventType.SQS);
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processPartialResponse(event, bookOnce, processor, { context });
}
