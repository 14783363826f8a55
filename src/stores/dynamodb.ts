import { wrongOption } from '../errors.ts';
import type { CodecContext, OutcomeCodec } from './dynamodb/codec.ts';
import { type AttributeNames, resolveTableOptions, type TableOptions } from './dynamodb/options.ts';
import { type Client, sdkConnection } from './dynamodb/sdk.ts';
import { type DynamoDBStore, recordStore } from './dynamodb/store.ts';
import type { TransactionItem, TransactionWrite } from './dynamodb/transaction-item.ts';

export type {
  AttributeNames,
  CodecContext,
  DynamoDBStore,
  OutcomeCodec,
  TableOptions,
  TransactionItem,
  TransactionWrite,
};

/** What this store takes besides. */
export interface DynamoDBStoreOptions extends TableOptions {
  /**
   * Your own client, with its own timeouts and retries; it is not changed. Give it a `requestTimeout`: a request that
   * hangs is given up only shortly before the lease ends.
   * @default a client made at first use: 3 attempts, 1 s to connect, 3 s for an attempt, keep-alive
   */
  readonly client?: Client;
}

/**
 * Records in a DynamoDB table: conditional puts and deletes, one request each, and a strongly consistent read.
 * A failed condition brings the record that was in the way with it (`ReturnValuesOnConditionCheckFailure`).
 * An outcome that no item can hold has items of its own, written before its record and read when that is found.
 *
 * Needs `@aws-sdk/client-dynamodb` and `@aws-sdk/lib-dynamodb`, and the permissions `dynamodb:PutItem`,
 * `dynamodb:DeleteItem` and `dynamodb:GetItem` on the table. It reads outcomes of more than one item, for duplicates that
 * wait, and where a failed condition brings no record. A transaction needs what its items do in their tables, too.
 *
 * @throws TypeError that names the wrong option
 */
export function dynamoDBStore(options: DynamoDBStoreOptions): DynamoDBStore {
  const resolved = resolveTableOptions(options, 'client');
  const { client } = options;
  if (client !== undefined && typeof client?.send !== 'function') {
    throw wrongOption('client', 'a DynamoDBClient or a DynamoDBDocumentClient', client);
  }
  return recordStore(resolved, sdkConnection(client));
}
