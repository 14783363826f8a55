import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler } from './api.ts';
import { dynamoDBPayments } from './dynamodb-payments.ts';
import { requireEnvironment, scopeFromEnvironment } from './environment.ts';
import { fakeProcessor } from './fake-processor.ts';
import { logIdempotencyEvent } from './log.ts';

/** One client, one pool of connections. A request that hangs must not use up the invocation. */
const client = new DynamoDBClient({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
});

/**
 * The Lambda function. Needs `IDEMPOTENCY_TABLE_NAME` and `PAYMENTS_TABLE_NAME` in its environment, and an authorizer in
 * front of it, unless `PAYMENTS_SCOPE` is `anonymous`.
 */
export const handler = createPaymentsHandler({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME'), client }),
  payments: dynamoDBPayments({ tableName: requireEnvironment('PAYMENTS_TABLE_NAME'), client }),
  processor: fakeProcessor(),
  scope: scopeFromEnvironment(),
  onEvent: logIdempotencyEvent,
});
