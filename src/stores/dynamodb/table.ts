import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { IdempotencyError } from '../../errors.ts';
import { lazyDocumentClient } from './client.ts';
import { unavailable } from './failure.ts';
import type { AttributeNames, ResolvedStoreOptions } from './options.ts';

/** The table, as the store's requests see it. */
export interface Table {
  readonly tableName: string;
  readonly names: AttributeNames;
  /** The primary key of an item: the id, and the sort key where the table has one. */
  keyOf(id: string): Record<string, string>;
  /** Makes a request. @throws IdempotencyError `STORE_UNAVAILABLE` with advice, whatever the SDK threw */
  send<T>(request: (client: DynamoDBDocumentClient) => Promise<T>): Promise<T>;
}

export function tableOf({ tableName, client: given, names, sortKey }: ResolvedStoreOptions): Table {
  const client = lazyDocumentClient(given);
  return {
    tableName,
    names,
    keyOf: (id) => ({ [names.id]: id, ...sortKey }),
    async send(request) {
      try {
        return await request(client());
      } catch (error) {
        throw error instanceof IdempotencyError ? error : unavailable(error, tableName);
      }
    },
  };
}
