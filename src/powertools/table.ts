import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { unavailable } from '../stores/dynamodb/failure.ts';
import { isolated, ownClient } from '../stores/dynamodb/sdk.ts';
import type { ResolvedPowertools } from './options.ts';

/** A write of a transaction, or of its own: a condition, and what it names. */
export interface Conditional {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, unknown>;
}

/** The table of Powertools. Values are plain, as Powertools' own `unmarshall` gives them. */
export interface LegacyTable {
  keyOf(id: string): Record<string, string>;
  /** A strongly consistent read. @throws IdempotencyError `STORE_UNAVAILABLE` */
  get(id: string): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Deletes the item if it is as the condition says. */
  remove(id: string, condition: Conditional): Promise<unknown>;
}

export function legacyTable(options: ResolvedPowertools): LegacyTable {
  const { tableName: TableName, sortKeyAttr, staticPkValue, names } = options;
  let documents: DynamoDBDocumentClient | undefined;
  const connected = () => {
    documents ??= DynamoDBDocumentClient.from(isolated((options.client ?? ownClient()) as DynamoDBClient));
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
    remove: (id, condition) => connected().send(new DeleteCommand({ TableName, Key: keyOf(id), ...condition })),
  };
}
