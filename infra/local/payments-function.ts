import { DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import type { IdempotencyEvent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler } from '../payments/api.ts';
import { dynamoDBPayments } from '../payments/dynamodb-payments.ts';
import { fakeProcessor } from '../payments/fake-processor.ts';
import type { LambdaFunction } from './server.ts';
import { createTable, type TableSchema } from './tables.ts';

const IDEMPOTENCY_TABLE = 'local-payments-idempotency';
const PAYMENTS_TABLE = 'local-payments';

export interface LocalPaymentsOptions {
  /** Of DynamoDB Local. */
  readonly endpoint: string;
  readonly processorLatencyMillis: number;
  readonly onEvent: (event: IdempotencyEvent) => void;
}

/** The example Lambda on DynamoDB Local. Makes its tables where they are not there yet. */
export async function createLocalPayments(options: LocalPaymentsOptions): Promise<LambdaFunction> {
  const client = new DynamoDBClient({
    endpoint: options.endpoint,
    region: 'local',
    // DynamoDB Local takes any credentials. Fixed ones keep a person's real ones out of this.
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: { connectionTimeout: 1000, requestTimeout: 3000, throwOnRequestTimeout: true },
  });
  await ensureTable(client, { tableName: IDEMPOTENCY_TABLE, partitionKey: 'id', ttlAttribute: 'expiration' });
  await ensureTable(client, { tableName: PAYMENTS_TABLE, partitionKey: 'id' });
  return createPaymentsHandler({
    store: dynamoDBStore({ tableName: IDEMPOTENCY_TABLE, client }),
    payments: dynamoDBPayments({ tableName: PAYMENTS_TABLE, client }),
    processor: fakeProcessor({ latencyMillis: options.processorLatencyMillis }),
    // There is no authorizer on this machine: all callers are one.
    scope: 'anonymous',
    onEvent: options.onEvent,
  });
}

async function ensureTable(client: DynamoDBClient, schema: TableSchema): Promise<void> {
  try {
    await createTable(client, schema);
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}
