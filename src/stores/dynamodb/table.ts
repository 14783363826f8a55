import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { IdempotencyError } from '../../errors.ts';
import { lazyDocumentClients } from './client.ts';
import { unavailable } from './failure.ts';
import type { AttributeNames, ResolvedStoreOptions } from './options.ts';

/** The table, as the store's requests see it. */
export interface Table {
  readonly tableName: string;
  readonly names: AttributeNames;
  /** The primary key of an item: the id, and the sort key where the table has one. */
  keyOf(id: string): Record<string, string>;
  /** The client that takes items of the user, too. */
  transactions(): DynamoDBDocumentClient;
  /** Makes a request. @throws IdempotencyError `STORE_UNAVAILABLE` with advice, whatever the SDK threw */
  send<T>(request: (client: DynamoDBDocumentClient) => Promise<T>): Promise<T>;
}

export function tableOf({ tableName, client: given, names, sortKey }: ResolvedStoreOptions): Table {
  const { records, transactions } = lazyDocumentClients(given);
  return {
    tableName,
    names,
    transactions,
    keyOf: (id) => ({ [names.id]: id, ...sortKey }),
    async send(request) {
      try {
        return await request(records());
      } catch (error) {
        throw error instanceof IdempotencyError ? error : unavailable(error, tableName);
      }
    },
  };
}
