import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { unavailable } from '../stores/dynamodb/failure.ts';
import { isolated, ownClient } from '../stores/dynamodb/sdk.ts';
import type { ResolvedPowertools } from './options.ts';

/** The table of Powertools. Values are plain, as Powertools' own `unmarshall` gives them. */
export interface LegacyTable {
  keyOf(id: string): Record<string, string>;
  /** A strongly consistent read. @throws IdempotencyError `STORE_UNAVAILABLE` */
  get(id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
}

export function legacyTable(options: ResolvedPowertools): LegacyTable {
  const { tableName: TableName, sortKeyAttr, staticPkValue, names } = options;
  let documents: DynamoDBDocumentClient | undefined;
  const connected = () => {
    const client = (options.client ?? ownClient()) as DynamoDBClient;
    documents ??= DynamoDBDocumentClient.from(isolated(client), { unmarshallOptions: { wrapNumbers: numberOf } });
    return documents;
  };
  const keyOf = (id: string) =>
    sortKeyAttr === undefined ? { [names.key]: id } : { [names.key]: staticPkValue, [sortKeyAttr]: id };
  return {
    keyOf,
    async get(id) {
      try {
        const { Item } = await connected().send(new GetCommand({ TableName, Key: keyOf(id), ConsistentRead: true }));
        return Item;
      } catch (error) {
        throw unavailable(error, TableName);
      }
    },
  };
}

/** An item with a number that JavaScript rounds is not unreadable. Powertools gives integers beyond 2^53 as bigint, too. */
function numberOf(text: string): number | bigint {
  const number = Number(text);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(text) ? number : BigInt(text);
}
