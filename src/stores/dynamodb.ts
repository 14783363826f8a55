import type { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { IdempotencyRecord } from '../core/record.ts';
import type { ConditionalResult, Expected, RecordStore } from '../core/store.ts';
import { IdempotencyError } from '../errors.ts';
import { lazyDocumentClient } from './dynamodb/client.ts';
import { MAX_TEXT_BYTES } from './dynamodb/compression.ts';
import { unavailable } from './dynamodb/failure.ts';
import { fromItem, type Item, plainItem, toItem } from './dynamodb/item.ts';
import { type AttributeNames, type DynamoDBStoreOptions, resolveStoreOptions } from './dynamodb/options.ts';
import { decodeFields, encodeFields } from './dynamodb/outcome.ts';

export type { AttributeNames, DynamoDBStoreOptions };

/**
 * Records in a DynamoDB table: conditional puts and deletes, one request each, and a strongly consistent read.
 * A failed condition brings the record that was in the way with it (`ReturnValuesOnConditionCheckFailure`).
 *
 * Needs `@aws-sdk/client-dynamodb` and `@aws-sdk/lib-dynamodb`, and the permissions `dynamodb:PutItem` and
 * `dynamodb:DeleteItem` on the table; `read`, for people, needs `dynamodb:GetItem`.
 *
 * @throws TypeError that names the wrong option
 */
export function dynamoDBStore(options: DynamoDBStoreOptions): RecordStore {
  const { tableName, client: given, names, sortKey } = resolveStoreOptions(options);
  const client = lazyDocumentClient(given);
  const returnExisting = { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;

  return {
    maxOutcomeBytes: MAX_TEXT_BYTES,

    async insert(record) {
      const command = new PutCommand({
        TableName: tableName,
        Item: await itemOf(record),
        ConditionExpression: 'attribute_not_exists(#id)',
        ExpressionAttributeNames: { '#id': names.id },
        ...returnExisting,
      });
      const answer = await conditionally(() => client().send(command));
      return answer.done ? { won: true } : { won: false, existing: answer.existing };
    },

    async replace(record, expected) {
      const command = new PutCommand({
        TableName: tableName,
        Item: await itemOf(record),
        ...conditionFor(expected, names),
        ...returnExisting,
      });
      return conditionally(() => client().send(command));
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
      return Item === undefined ? undefined : recordOf(Item);
    },
  };

  async function conditionally(send: () => Promise<unknown>): Promise<ConditionalResult> {
    return explained(async () => {
      try {
        await send();
        return { done: true };
      } catch (error) {
        if (!isFailedCondition(error)) throw error;
        return { done: false, existing: await existingOf(error) };
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

  async function itemOf(record: IdempotencyRecord): Promise<Item> {
    const fields = record.status === 'COMPLETED' ? await encodeFields(record.outcome) : undefined;
    return toItem(record, names, sortKey, fields);
  }

  async function recordOf(item: Item): Promise<IdempotencyRecord> {
    const parsed = fromItem(item, names);
    if (parsed.status !== 'COMPLETED') return parsed;
    const { fields, ...completed } = parsed;
    return { ...completed, outcome: await decodeFields(fields) };
  }

  async function existingOf(error: ConditionalCheckFailedException): Promise<IdempotencyRecord | undefined> {
    return error.Item === undefined ? undefined : recordOf(plainItem(error.Item));
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
