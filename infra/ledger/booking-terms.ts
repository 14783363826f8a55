import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { IdempotencyEvent } from 'middy-idempotency';
import { sqsBodyKey } from 'middy-idempotency/events';
import type { PaymentEvent } from '../outbox/payment-event.ts';
import { BOOKED_DAYS } from './terms.ts';

export interface ConsumerOptions {
  /** @default none */
  readonly onEvent?: (event: IdempotencyEvent) => void;
}

/** What makes two messages the same booking, in every database. */
export const BOOKING = {
  operation: 'book-payment-event',
  key: sqsBodyKey('id'),
  fingerprint: 'body',
  retentionSeconds: BOOKED_DAYS * 86_400,
} as const;

export function reporting(onEvent: ConsumerOptions['onEvent']) {
  return onEvent === undefined ? {} : { onEvent, warnings: false };
}

export function bookedResponse({ id, payment }: PaymentEvent) {
  return { event: id, payment };
}

/**
 * The handler of the queue. A message that cannot be booked is reported as failed, and ends in the dead-letter queue. So does a
 * message that has the id of a booked one, and another text.
 */
export function consumerOf(bookOnce: (record: SQSRecord, context: Context) => Promise<unknown>) {
  const processor = new BatchProcessor(EventType.SQS);
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processPartialResponse(event, bookOnce, processor, { context });
}
