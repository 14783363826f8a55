import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { sqsBodyKey } from 'middy-idempotency/events';

const DAY_SECONDS = 86_400;

const bookOnce = idempotent(bookShipment, {
  store: dynamoDBStore({ tableName: process.env['IDEMPOTENCY_TABLE_NAME'] }),
  operation: 'book-shipment',
  key: sqsBodyKey('orderId'),
  fingerprint: 'body', // the same order with another address is refused, and ends in the dead-letter queue
  retentionSeconds: 29 * DAY_SECONDS, // 14 in the queue, 14 in its dead-letter queue, and a day to spare
  passHandle: true,
});

async function bookShipment(record: SQSRecord, _context: Context, { deriveKey }: IdempotencyHandle): Promise<string> {
  const response = await fetch(`${process.env['CARRIER_URL']}/shipments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': deriveKey('book') },
    body: record.body,
  });
  if (!response.ok) throw new Error(`the carrier answered ${response.status}`);
  return response.text();
}

const processor = new BatchProcessor(EventType.SQS);

// With the context, the lease of a message ends when the invocation does.
export const handler = (event: SQSEvent, context: Context) =>
  processPartialResponse(event, bookOnce, processor, { context });
