import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb/lite';
import { createPaymentsHandler } from './api.ts';
import { dynamoDBPayments } from './dynamodb-payments.ts';
import { requireEnvironment, scopeFromEnvironment } from './environment.ts';
import { fakeProcessor } from './fake-processor.ts';
import { logIdempotencyEvent } from './log.ts';

/** The payments' own table is still read and written by the SDK. */
const client = new DynamoDBClient({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
});

/** The Lambda function of `handler.ts`, with the idempotency store that does without the SDK. */
export const handler = createPaymentsHandler({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME') }),
  payments: dynamoDBPayments({ tableName: requireEnvironment('PAYMENTS_TABLE_NAME'), client }),
  processor: fakeProcessor(),
  scope: scopeFromEnvironment(),
  onEvent: logIdempotencyEvent,
});
