import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { idempotency } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';

const store = dynamoDBStore({ tableName: process.env.IDEMPOTENCY_TABLE_NAME });
await store.prime();

export const handler = middy()
  .use(idempotency({ store, key: 'orderId' }))
  .handler(async ({ orderId }) => ({ orderId, charge: randomUUID() }));
