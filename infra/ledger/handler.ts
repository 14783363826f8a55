import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { requireEnvironment } from '../payments/environment.ts';
import { logIdempotencyEvent } from '../payments/log.ts';
import { createLedgerConsumer } from './consumer.ts';
import { dynamoDBLedger } from './dynamodb-ledger.ts';

const client = new DynamoDBClient({
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
});

/** The Lambda function behind the ledger's queue. Needs `IDEMPOTENCY_TABLE_NAME` and `LEDGER_TABLE_NAME` in its environment. */
export const handler = createLedgerConsumer({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME'), client }),
  ledger: dynamoDBLedger({ tableName: requireEnvironment('LEDGER_TABLE_NAME'), client }),
  onEvent: logIdempotencyEvent,
});
