import type { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { IdempotencyRecord } from '../core/record.ts';
import type { ConditionalResult, Expected, RecordStore } from '../core/store.ts';
import { IdempotencyError } from '../errors.ts';
import { lazyDocumentClients } from './dynamodb/client.ts';
import { unavailable } from './dynamodb/failure.ts';
import { fromItem, plainItem, toItem } from './dynamodb/item.ts';
import { type AttributeNames, type DynamoDBStoreOptions, resolveStoreOptions } from './dynamodb/options.ts';
import { type TransactionItem, transactWrite } from './dynamodb/transaction.ts';

export type { AttributeNames, DynamoDBStoreOptions, TransactionItem };

/**
 * An item may have 400 KB, attribute names included (AWS: "Quotas and limits in Amazon DynamoDB"). What is not the
 * outcome (a partition key of up to 2 KB, a sort key of up to 1 KB, names, numbers, digests) fits into the difference.
 */
const MAX_OUTCOME_BYTES = 392 * 1024;

/**
 * Records in a DynamoDB table: conditional puts and deletes, one request each, and a strongly consistent read.
 * A failed condition brings the record that was in the way with it (`ReturnValuesOnConditionCheckFailure`).
 *
 * Needs `@aws-sdk/client-dynamodb` and `@aws-sdk/lib-dynamodb`, and the permissions `dynamodb:PutItem` and
 * `dynamodb:DeleteItem` on the table; `read`, for people and for `onInFlight: { waitMillis }`, needs `dynamodb:GetItem`.
 * A transaction needs what its items do in their tables, too.
 *
 * @throws TypeError that names the wrong option
 */
export function dynamoDBStore(options: DynamoDBStoreOptions): RecordStore<TransactionItem> {
  const { tableName, client: given, names, sortKey } = resolveStoreOptions(options);
  const { records: client, transactions } = lazyDocumentClients(given);
  const returnExisting = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

  return {
    maxOutcomeBytes: MAX_OUTCOME_BYTES,

    async insert(record) {
      const command = new PutCommand({
        TableName: tableName,
        Item: toItem(record, names, sortKey),
        ConditionExpression: 'attribute_not_exists(#id)',
        ExpressionAttributeNames: { '#id': names.id },
        ...returnExisting,
      });
      const answer = await conditionally(() => client().send(command));
      return answer.done ? { won: true } : { won: false, existing: answer.existing };
    },

    replace(record, expected) {
      return conditionally(() => client().send(new PutCommand(putOver(record, expected))));
    },

    transact(record, expected, items, token) {
      const send = (input: TransactWriteCommandInput) => transactions().send(new TransactWriteCommand(input));
      return transactWrite({ send, put: putOver(record, expected), items, token, tableName, read: recordOf });
    },

    remove(id, expected) {
      const command = new DeleteCommand({
        TableName: tableName,
        Key: { [names.id]: id, ...sortKey },
        ...conditionFor(expected, names),
        ...returnExisting,
      });
      return conditionally(() => client().send(command));
    },

    async read(id) {
      const command = new GetCommand({
        TableName: tableName,
        Key: { [names.id]: id, ...sortKey },
        ConsistentRead: true,
      });
      const { Item } = await explained(() => client().send(command));
      return Item === undefined ? undefined : fromItem(Item, names);
    },
  };

  function putOver(record: IdempotencyRecord, expected: Expected) {
    return {
      TableName: tableName,
      Item: toItem(record, names, sortKey),
      ...conditionFor(expected, names),
      ...returnExisting,
    };
  }

  async function conditionally(send: () => Promise<unknown>): Promise<ConditionalResult> {
    return explained(async () => {
      try {
        await send();
        return { done: true };
      } catch (error) {
        if (!isFailedCondition(error)) throw error;
        return { done: false, existing: recordOf(error.Item) };
      }
    });
  }

  async function explained<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw error instanceof IdempotencyError ? error : unavailable(error, tableName);
    }
  }

  function recordOf(marshalled: ConditionalCheckFailedException['Item']): IdempotencyRecord | undefined {
    return marshalled === undefined ? undefined : fromItem(plainItem(marshalled), names);
  }
}

function isFailedCondition(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

function conditionFor({ owner, status, leaseUntil }: Expected, names: AttributeNames) {
  const conditions = ['#owner = :owner', '#status = :status'];
  if (leaseUntil !== undefined) conditions.push('#leaseUntil = :leaseUntil');
  return {
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeNames: {
      '#owner': names.owner,
      '#status': names.status,
      ...(leaseUntil !== undefined && { '#leaseUntil': names.leaseUntil }),
    },
    ExpressionAttributeValues: {
      ':owner': owner,
      ':status': status,
      ...(leaseUntil !== undefined && { ':leaseUntil': leaseUntil }),
    },
  };
}
