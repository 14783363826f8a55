import type { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
  type TransactWriteCommandInput,
} from '@aws-sdk/lib-dynamodb';
import type { IdempotencyRecord } from '../core/record.ts';
import type { ConditionalResult, Expected, RecordStore } from '../core/store.ts';
import { checkpointFormat } from './dynamodb/checkpoints.ts';
import type { CodecContext, OutcomeCodec } from './dynamodb/codec.ts';
import { MAX_TEXT_BYTES } from './dynamodb/compression.ts';
import { type Formatted, fromItem, type Item, plainItem, toItem } from './dynamodb/item.ts';
import { type AttributeNames, type DynamoDBStoreOptions, resolveStoreOptions } from './dynamodb/options.ts';
import { outcomeFormat } from './dynamodb/outcome.ts';
import { tableOf } from './dynamodb/table.ts';
import { createTextCodec } from './dynamodb/text-codec.ts';
import { type TransactionItem, transactWrite } from './dynamodb/transaction.ts';

export type { AttributeNames, CodecContext, DynamoDBStoreOptions, OutcomeCodec, TransactionItem };

/**
 * Records in a DynamoDB table: conditional puts and deletes, one request each, and a strongly consistent read.
 * A failed condition brings the record that was in the way with it (`ReturnValuesOnConditionCheckFailure`).
 * An outcome that no item can hold has items of its own, written before its record and read when that is found.
 *
 * Needs `@aws-sdk/client-dynamodb` and `@aws-sdk/lib-dynamodb`, and the permissions `dynamodb:PutItem`,
 * `dynamodb:DeleteItem` and (for outcomes of more than one item, for `onInFlight: { waitMillis }` and for `read`)
 * `dynamodb:GetItem` on the table. A transaction needs what its items do in their tables, too.
 *
 * @throws TypeError that names the wrong option
 */
export function dynamoDBStore(options: DynamoDBStoreOptions): RecordStore<TransactionItem> {
  const resolved = resolveStoreOptions(options);
  const table = tableOf(resolved);
  const { tableName, names } = table;
  const textCodec = createTextCodec(resolved.codec);
  const outcomes = outcomeFormat(table, textCodec);
  const steps = checkpointFormat(textCodec);
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
      const answer = await conditionally((client) => client.send(command));
      return answer.done ? { won: true } : { won: false, existing: answer.existing };
    },

    async replace(record, expected) {
      const command = new PutCommand(await putOver(record, expected));
      return conditionally((client) => client.send(command));
    },

    async transact(record, expected, items, token) {
      const send = (input: TransactWriteCommandInput) => table.transactions().send(new TransactWriteCommand(input));
      const put = await table.send(() => putOver(record, expected));
      return transactWrite({ send, put, items, token, tableName, read: existingIn });
    },

    remove(id, expected) {
      const command = new DeleteCommand({
        TableName: tableName,
        Key: table.keyOf(id),
        ...conditionFor(expected, names),
        ...returnExisting,
      });
      return conditionally((client) => client.send(command));
    },

    async read(id) {
      const command = new GetCommand({ TableName: tableName, Key: table.keyOf(id), ConsistentRead: true });
      const { Item } = await table.send((client) => client.send(command));
      return Item === undefined ? undefined : recordOf(Item);
    },
  };

  async function putOver(record: IdempotencyRecord, expected: Expected) {
    return {
      TableName: tableName,
      Item: await itemOf(record),
      ...conditionFor(expected, names),
      ...returnExisting,
    };
  }

  function conditionally(request: (client: DynamoDBDocumentClient) => Promise<unknown>): Promise<ConditionalResult> {
    return table.send(async (client) => {
      try {
        await request(client);
        return { done: true };
      } catch (error) {
        if (!isFailedCondition(error)) throw error;
        return { done: false, existing: await existingIn(error.Item) };
      }
    });
  }

  async function itemOf(record: IdempotencyRecord): Promise<Item> {
    return toItem(record, table, await formatted(record));
  }

  async function formatted(record: IdempotencyRecord): Promise<Formatted> {
    if (record.status === 'COMPLETED') return { fields: await outcomes.write(record) };
    const { id, checkpoints } = record;
    return checkpoints === undefined ? {} : { checkpoints: await steps.write(id, checkpoints) };
  }

  async function recordOf(item: Item): Promise<IdempotencyRecord> {
    const parsed = fromItem(item, names);
    if (parsed.status === 'COMPLETED') {
      const { fields, ...completed } = parsed;
      return { ...completed, outcome: await outcomes.read(completed.id, fields) };
    }
    const { stored, ...record } = parsed;
    return stored === undefined ? record : { ...record, checkpoints: await steps.read(record.id, stored) };
  }

  async function existingIn(item: ConditionalCheckFailedException['Item']): Promise<IdempotencyRecord | undefined> {
    return item === undefined ? undefined : recordOf(plainItem(item));
  }
}

function isFailedCondition(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

function conditionFor({ owner, status, leaseUntil }: Expected, names: AttributeNames) {
  const ConditionExpression = '#owner = :owner AND #status = :status';
  const ExpressionAttributeNames = { '#owner': names.owner, '#status': names.status };
  const ExpressionAttributeValues = { ':owner': owner, ':status': status };
  if (leaseUntil === undefined) return { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues };
  return {
    ConditionExpression: `${ConditionExpression} AND #leaseUntil = :leaseUntil`,
    ExpressionAttributeNames: { ...ExpressionAttributeNames, '#leaseUntil': names.leaseUntil },
    ExpressionAttributeValues: { ...ExpressionAttributeValues, ':leaseUntil': leaseUntil },
  };
}
