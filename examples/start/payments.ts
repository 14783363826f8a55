import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';

export const payments = (store: RecordStore) =>
  middy<APIGatewayProxyEventV2>()
    .use(httpIdempotency({ store, operation: 'create-payment', scope: 'anonymous' })) // always first
    .handler(async (event) => {
      const { amount } = JSON.parse(event.body ?? '{}');
      return { statusCode: 201, body: JSON.stringify({ id: randomUUID(), amount }) };
    });
