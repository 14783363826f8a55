import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { Context, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';

export interface Order {
  readonly id: string;
  readonly amount: number;
}

const TableName = process.env['ORDERS_TABLE_NAME'];
/** Long after the stream has forgotten it. */
const KEPT_SECONDS = 14 * 86_400;

/** The order, what announces it, and the outcome are written in one transaction: all of them are there, or none. */
export const placeOrder = idempotent<[Order], Promise<Order>, TransactionItem>(
  async (order: Order, { deriveKey, transact }: IdempotencyHandle<TransactionItem>) => {
    // The same id on every attempt.
    const event = { id: deriveKey('order-placed'), type: 'OrderPlaced', order };
    const expiration = Math.floor(Date.now() / 1000) + KEPT_SECONDS;
    const announcement = { id: `outbox#${event.id}`, event: JSON.stringify(event), expiration };
    // Prefixes keep the two apart for every id of an order. The condition outlives the record.
    const placed = { id: `order#${order.id}`, order };
    const ConditionExpression = 'attribute_not_exists(id)';
    await transact(
      [{ Put: { TableName, Item: placed, ConditionExpression } }, { Put: { TableName, Item: announcement } }],
      order,
    );
    return order;
  },
  {
    store: dynamoDBStore({ tableName: process.env['IDEMPOTENCY_TABLE_NAME'] }),
    operation: 'place-order',
    key: 'id',
    fingerprint: '@',
    passHandle: true,
  },
);

const sqs = new SQSClient();
const processor = new BatchProcessor(EventType.DynamoDBStreams);

/**
 * Behind the table's stream. The stream's filter lets only new items pass whose id begins with
 * `outbox#`. Sends at least once.
 */
async function publish({ dynamodb }: DynamoDBRecord): Promise<void> {
  const MessageBody = dynamodb?.NewImage?.['event']?.S;
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env['QUEUE_URL'], MessageBody }));
}

export const publisher = (event: DynamoDBStreamEvent, context: Context) =>
  processPartialResponse(event, publish, processor, { context });
