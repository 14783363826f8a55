import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { idempotent, type RecordStore } from 'middy-idempotency';
import { sqsBodyKey } from 'middy-idempotency/events';

const DAY_SECONDS = 86_400;

export function consumer(store: RecordStore, book: (order: { orderId: string }) => Promise<void>) {
  const bookOnce = idempotent(
    async (message: SQSRecord, _context: Context) => book(JSON.parse(message.body)), // with the context, the lease ends with the invocation
    {
      store,
      operation: 'book-shipment',
      key: sqsBodyKey('orderId'),
      retentionSeconds: 29 * DAY_SECONDS, // longer than the queue and its dead-letter queue can deliver again
    },
  );
  const batch = new BatchProcessor(EventType.SQS);
  return (event: SQSEvent, context: Context) => processPartialResponse(event, bookOnce, batch, { context });
}
