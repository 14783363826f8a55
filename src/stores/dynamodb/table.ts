import { setTimeout } from 'node:timers/promises';
import {
  type ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DynamoDBDocumentClient,
  TransactWriteCommand,
  type TransactWriteCommandInput,
  type TranslateConfig,
} from '@aws-sdk/lib-dynamodb';
import { TRANSACTION_CONFLICT, unavailable } from './failure.ts';
import { type Item, marshalled, unmarshalled } from './item.ts';
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
  let client: DynamoDBClient | undefined;
  let documents: DynamoDBDocumentClient | undefined;
  return { tableName, names, keyOf, put, remove, get, transact };

  function keyOf(id: string): Record<string, string> {
    return { [names.id]: id, ...sortKey };
  }

  function put(item: Item, condition: Condition): Promise<TableWrite> {
    return conditionally(() =>
      records().send(new PutItemCommand({ TableName: tableName, Item: marshalled(item), ...inputOf(condition) })),
    );
  }

  function remove(id: string, condition: Condition): Promise<TableWrite> {
    const Key = marshalled(keyOf(id));
    return conditionally(() =>
      records().send(new DeleteItemCommand({ TableName: tableName, Key, ...inputOf(condition) })),
    );
  }

  async function get(id: string): Promise<Item | undefined> {
    try {
      const input = { TableName: tableName, Key: marshalled(keyOf(id)), ConsistentRead: true };
      const { Item } = await records().send(new GetItemCommand(input));
      return Item && unmarshalled(Item);
    } catch (error) {
      throw unavailable(error, tableName);
    }
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

  async function conditionally(send: () => Promise<unknown>): Promise<TableWrite> {
    for (let tries = 1; ; tries++) {
      try {
        await send();
        return { done: true };
      } catch (error) {
        if (isFailedCondition(error)) return { done: false, existing: error.Item && unmarshalled(error.Item) };
        if (!isConflict(error) || tries === MAX_TRIES) throw unavailable(error, tableName);
      }
      await setTimeout(Math.random() * BACKOFF_MILLIS * 2 ** tries);
    }
  }

  /**
   * The clients are made when they are first used: a function that is only initialised pays nothing
   * for them. `records` is for what this package writes, in the form of the low-level client; a
   * document client takes that as well. `transactions` takes items of the user, in the form that the
   * user's own document client is set to, if one was given.
   */
  function records(): DynamoDBClient {
    client ??= (given ?? ownClient()) as DynamoDBClient;
    return client;
  }

  function transactions(): DynamoDBDocumentClient {
    documents ??= DynamoDBDocumentClient.from(isolated(records()), translationOf(given));
    return documents;
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
  return (error as Error).name === TRANSACTION_CONFLICT;
}

function isFailedCondition(error: unknown): error is ConditionalCheckFailedException {
  return (error as Error).name === 'ConditionalCheckFailedException';
}

/** A connection that hangs must not use up the invocation: at most three tries of four seconds. */
const MAX_ATTEMPTS = 3;
const CONNECTION_TIMEOUT_MILLIS = 1000;
const REQUEST_TIMEOUT_MILLIS = 3000;

/** A copy: the SDK writes its defaults into what it is given. */
function translationOf(given: DynamoDBClient | DynamoDBDocumentClient | undefined): TranslateConfig {
  const { translateConfig } = (given?.config ?? {}) as { translateConfig?: TranslateConfig };
  return {
    marshallOptions: { ...translateConfig?.marshallOptions },
    unmarshallOptions: { ...translateConfig?.unmarshallOptions },
  };
}

function ownClient(): DynamoDBClient {
  return new DynamoDBClient({
    maxAttempts: MAX_ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_TIMEOUT_MILLIS,
      requestTimeout: REQUEST_TIMEOUT_MILLIS,
      throwOnRequestTimeout: true,
    },
  });
}

/**
 * `DynamoDBDocumentClient.from` writes its marshalling options into the configuration of the given
 * client. They then apply to every document client made from that one. The given client shares its
 * connections and middlewares with ours, but keeps its own configuration.
 */
function isolated(given: DynamoDBClient): DynamoDBClient {
  const config = { ...given.config, cacheMiddleware: false };
  return Object.create(given, { config: { value: config } }) as DynamoDBClient;
}
