import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { liteConnection } from '../../../src/stores/dynamodb/lite/connection.ts';
import { resolveTableOptions } from '../../../src/stores/dynamodb/options.ts';
import { recordStore } from '../../../src/stores/dynamodb/store.ts';
import { type DynamoDBStoreOptions, dynamoDBStore as sdkStore } from '../../../src/stores/dynamodb.ts';
import { LOCAL_ACCESS } from '../../../tools/clients.ts';
import { configOf } from '../table.ts';

export type * from '../../../src/stores/dynamodb.ts';

/**
 * `dynamoDBStore` without the SDK, for tests that were written with a client: it goes where the client would, as often and
 * as long. What is the SDK's own stays with the SDK: a document client, a middleware, another request handler.
 */
export function dynamoDBStore(options: DynamoDBStoreOptions) {
  const { client, ...table } = options;
  const { endpoint, maxAttempts = 4, requestHandler } = (client && configOf(client)) ?? {};
  const { requestTimeout = 3000, handle } = (requestHandler ?? {}) as { requestTimeout?: number; handle?: unknown };
  if (client === undefined || endpoint === undefined || handle !== undefined || hasMiddleware(client)) {
    return sdkStore(options);
  }
  const connection = liteConnection(
    { ...LOCAL_ACCESS, endpoint: endpoint as string },
    { maxAttempts: maxAttempts as number, answerMillis: requestTimeout },
  );
  return recordStore(resolveTableOptions(table), connection);
}

function hasMiddleware({ middlewareStack }: NonNullable<DynamoDBStoreOptions['client']>): boolean {
  return middlewareStack.identify().length !== new DynamoDBClient(LOCAL_ACCESS).middlewareStack.identify().length;
}
