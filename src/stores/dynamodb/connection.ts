import type { Item } from './item.ts';
import type { TransactionItem } from './transaction-item.ts';

/** The members of a request, values as they are in JavaScript. */
export interface Request {
  readonly TableName: string;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly ExpressionAttributeValues?: Item | undefined;
  readonly [name: string]: unknown;
}

/** What was found, values with their types: `{ S: 'text' }`. */
export interface Found {
  readonly Item?: object | undefined;
}

/** `wasSent`: DynamoDB may have received the request. Then only its own answer says that nothing was written. */
export interface TransactionError {
  readonly error: unknown;
  readonly wasSent: boolean;
}

/**
 * How requests reach DynamoDB: through the SDK, or without it. It tries again by itself. It throws errors in the shape of
 * the SDK's: `name`, `$metadata` with `httpStatusCode` and `attempts`, `$fault`, `Item`, `CancellationReasons`.
 */
export interface Connection {
  send(verb: 'PutItem' | 'DeleteItem' | 'GetItem', request: Request): Promise<Found>;
  /** Answers its error, if there is one: the user's items may be the reason. */
  transact(items: readonly TransactionItem[], token: string): Promise<TransactionError | undefined>;
}
