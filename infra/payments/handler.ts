import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler } from './api.ts';
import { requireEnvironment } from './environment.ts';
import { fakeProcessor } from './fake-processor.ts';
import { logLine } from './log.ts';
import { dynamoDBPayments } from './payments.ts';

/** One client, one pool of connections. A request that hangs must not eat the invocation. */
const client = new DynamoDBClient({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
});

/** The Lambda function. Needs `IDEMPOTENCY_TABLE_NAME` and `PAYMENTS_TABLE_NAME` in its environment. */
export const handler = createPaymentsHandler({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME'), client }),
  payments: dynamoDBPayments({ tableName: requireEnvironment('PAYMENTS_TABLE_NAME'), client }),
  processor: fakeProcessor(),
  onEvent: (event) => logLine('info', 'idempotency', { ...event }),
});
