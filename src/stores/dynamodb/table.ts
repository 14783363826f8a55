import type { Connection, Request } from './connection.ts';
import { TRANSACTION_CONFLICT, unavailable } from './failure.ts';
import { type Item, unmarshalled } from './item.ts';
import type { AttributeNames, ResolvedTableOptions } from './options.ts';

/** The condition of a write, in plain values: `ConditionExpression` and what it names. */
export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Item | undefined;
}

/** `#name` in the expression stands for an attribute, `:name` for a value. */
export function conditionOf(expression: string, attributes: Record<string, string>, values?: Item): Condition {
  return {
    ConditionExpression: expression,
    ExpressionAttributeNames: attributes,
    ExpressionAttributeValues: values,
  };
}

/**
 * Whether a conditional write was done, or the item that was in its way; `undefined` where there
 * was no item.
 */
export type TableWrite = { readonly done: true } | { readonly done: false; readonly existing: Item | undefined };

/**
 * The table, as the store's requests see it: plain values go in and out.
 *
 * Each of them throws an IdempotencyError `STORE_UNAVAILABLE` with advice, no matter what the
 * connection threw.
 */
export interface Table {
  readonly tableName: string;
  readonly names: AttributeNames;
  /** The primary key of an item: the id, and the sort key where the table has one. */
  keyOf(id: string): Record<string, string>;
  put(item: Item, condition: Condition): Promise<TableWrite>;
  remove(id: string, condition: Condition): Promise<TableWrite>;
  /** A strongly consistent read. */
  get(id: string): Promise<Item | undefined>;
  readonly transact: Connection['transact'];
}

/** A failed condition brings the item that was in the way. */
export const RETURN_EXISTING = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

export function tableOf({ tableName, names, sortKey }: ResolvedTableOptions, connection: Connection): Table {
  const keyOf = (id: string) => ({ [names.id]: id, ...sortKey });
  return {
    tableName,
    names,
    keyOf,
    transact: connection.transact,
    put: (item, condition) => conditionally('PutItem', { Item: item, ...condition }),
    remove: (id, condition) => conditionally('DeleteItem', { Key: keyOf(id), ...condition }),

    async get(id) {
      try {
        const request = { TableName: tableName, Key: keyOf(id), ConsistentRead: true };
        const { Item } = await connection.send('GetItem', request);
        return Item && unmarshalled(Item);
      } catch (error) {
        throw unavailable(error, tableName);
      }
    },
  };

  async function conditionally(
    verb: 'PutItem' | 'DeleteItem',
    request: Omit<Request, 'TableName'>,
  ): Promise<TableWrite> {
    for (let tries = 1; ; tries++) {
      try {
        await connection.send(verb, { TableName: tableName, ...request, ...RETURN_EXISTING });
        return { done: true };
      } catch (error) {
        const { name, Item } = error as Error & { Item?: object };
        if (name === 'ConditionalCheckFailedException') return { done: false, existing: Item && unmarshalled(Item) };
        if (name !== TRANSACTION_CONFLICT || tries === MAX_TRIES) throw unavailable(error, tableName);
      }
      await new Promise((resolve) => setTimeout(resolve, Math.random() * BACKOFF_MILLIS * 2 ** tries));
    }
  }
}

/** A transaction takes some milliseconds. The random part spreads several waiters. */
const MAX_TRIES = 5;
const BACKOFF_MILLIS = 10;
