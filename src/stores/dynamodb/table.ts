import { setTimeout } from 'node:timers/promises';
import {
  type ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { IdempotencyError } from '../../errors.ts';
import { lazyClients } from './client.ts';
import { TRANSACTION_CONFLICT, unavailable } from './failure.ts';
import { type Item, marshalled, unmarshalled } from './marshalling.ts';
import type { AttributeNames, ResolvedStoreOptions } from './options.ts';

/** The condition of a write, in plain values: `ConditionExpression` and what it names. */
export interface Condition {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
}

/**
 * Whether a conditional write was done, or the item that was in its way; `undefined` where there
 * was no item.
 */
export type TableWrite = { readonly done: true } | { readonly done: false; readonly existing: Item | undefined };

/** `wasSent`: DynamoDB may have received the request. Then only its own answer says that nothing was written. */
export interface TransactionError {
  readonly error: unknown;
  readonly wasSent: boolean;
}

/**
 * The table, as the store's requests see it: plain values go in and out.
 *
 * Each of them throws an IdempotencyError `STORE_UNAVAILABLE` with advice, no matter what the SDK
 * threw.
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
  /** Unlike the others, answers the error of the SDK, if there is one: the user's items may be the reason. */
  transact(input: TransactWriteCommandInput): Promise<TransactionError | undefined>;
}

/** A failed condition brings the item that was in the way. */
export const RETURN_EXISTING = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

export function tableOf({ tableName, client: given, names, sortKey }: ResolvedStoreOptions): Table {
  const { records, transactions } = lazyClients(given);
  return { tableName, names, keyOf, put, remove, get, transact };

  function keyOf(id: string): Record<string, string> {
    return { [names.id]: id, ...sortKey };
  }

  function put(item: Item, condition: Condition): Promise<TableWrite> {
    return conditionally((client) => {
      const Item = marshalled(item);
      return client.send(new PutItemCommand({ TableName: tableName, Item, ...inputOf(condition) }));
    });
  }

  function remove(id: string, condition: Condition): Promise<TableWrite> {
    return conditionally((client) => {
      const Key = marshalled(keyOf(id));
      return client.send(new DeleteItemCommand({ TableName: tableName, Key, ...inputOf(condition) }));
    });
  }

  function get(id: string): Promise<Item | undefined> {
    return send(async (client) => {
      const Key = marshalled(keyOf(id));
      const { Item } = await client.send(new GetItemCommand({ TableName: tableName, Key, ConsistentRead: true }));
      return Item && unmarshalled(Item);
    });
  }

  async function transact(input: TransactWriteCommandInput): Promise<TransactionError | undefined> {
    let wasSent = false;
    const command = new TransactWriteCommand(input);
    command.middlewareStack.add(
      (next) => (args) => {
        wasSent = true;
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    try {
      await transactions().send(command);
      return undefined;
    } catch (error) {
      return { error, wasSent };
    }
  }

  function conditionally(request: (client: DynamoDBClient) => Promise<unknown>): Promise<TableWrite> {
    return send(async (client) => {
      for (let tries = 1; ; tries++) {
        try {
          await request(client);
          return { done: true };
        } catch (error) {
          if (isFailedCondition(error)) return { done: false, existing: error.Item && unmarshalled(error.Item) };
          if (!isConflict(error) || tries === MAX_TRIES) throw error;
        }
        await setTimeout(Math.random() * BACKOFF_MILLIS * 2 ** tries);
      }
    });
  }

  async function send<T>(request: (client: DynamoDBClient) => Promise<T>): Promise<T> {
    try {
      return await request(records());
    } catch (error) {
      throw error instanceof IdempotencyError ? error : unavailable(error, tableName);
    }
  }
}

function inputOf({ ExpressionAttributeValues: values, ...expression }: Condition) {
  return {
    ...expression,
    ...(values !== undefined && { ExpressionAttributeValues: marshalled(values) }),
    ...RETURN_EXISTING,
  };
}

/** A transaction takes some milliseconds. The random part spreads several waiters. */
const MAX_TRIES = 5;
const BACKOFF_MILLIS = 10;

function isConflict(error: unknown): boolean {
  return error instanceof Error && error.name === TRANSACTION_CONFLICT;
}

function isFailedCondition(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}
