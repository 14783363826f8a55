import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler } from '../payments/api.ts';
import { dynamoDBPayments } from '../payments/dynamodb-payments.ts';
import { requireEnvironment } from '../payments/environment.ts';
import { logIdempotencyEvent } from '../payments/log.ts';
import { killingProcessor } from './killing-processor.ts';

const client = new DynamoDBClient();

/** The payments function, in the process that is killed. */
export const handler = createPaymentsHandler({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME'), client }),
  payments: dynamoDBPayments({ tableName: requireEnvironment('PAYMENTS_TABLE_NAME'), client }),
  processor: killingProcessor(requireEnvironment('PROCESSOR_URL')),
  scope: 'anonymous',
  onEvent: logIdempotencyEvent,
});
