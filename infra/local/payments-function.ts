import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { IdempotencyEvent } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { createPaymentsHandler } from '../payments/api.ts';
import { dynamoDBPayments } from '../payments/dynamodb-payments.ts';
import type { FakeProcessor } from '../payments/fake-processor.ts';
import type { ExampleTables } from './example-tables.ts';
import type { LambdaFunction } from './server.ts';

export interface LocalPaymentsOptions {
  /** Of DynamoDB Local. */
  readonly client: DynamoDBClient;
  readonly tables: ExampleTables;
  readonly processor: FakeProcessor;
  readonly onEvent: (event: IdempotencyEvent) => void;
  /** Gets the processor's count of charges after every request that is not a GET, replayed ones included. @default none */
  readonly onCharges?: (charges: number) => void;
}

/** The example Lambda on DynamoDB Local, in this process. */
export function createLocalPayments(options: LocalPaymentsOptions): LambdaFunction {
  const { client, tables, processor, onEvent, onCharges } = options;
  const handler = createPaymentsHandler({
    store: dynamoDBStore({ tableName: tables.idempotency, client }),
    payments: dynamoDBPayments({ tableName: tables.payments, client }),
    processor,
    // There is no authorizer on this machine: all callers are one.
    scope: 'anonymous',
    onEvent,
  });
  return async (event, context) => {
    const response = await handler(event, context);
    if (event.requestContext.http.method !== 'GET') onCharges?.(processor.charges);
    return response;
  };
}
