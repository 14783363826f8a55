import type { IdempotencyRecord } from '../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../core/record/store.ts';
import { checkpointFormat } from './dynamodb/checkpoints.ts';
import type { CodecContext, OutcomeCodec } from './dynamodb/codec.ts';
import { answered, TRANSACTION_CONFLICT } from './dynamodb/failure.ts';
import type { Item } from './dynamodb/item.ts';
import { fromItem, roomIn, toItem } from './dynamodb/item.ts';
import { type AttributeNames, type DynamoDBStoreOptions, resolveStoreOptions } from './dynamodb/options.ts';
import { outcomeFormat } from './dynamodb/outcome.ts';
import { type Condition, RETURN_EXISTING, type TableWrite, tableOf } from './dynamodb/table.ts';
import { createTextCodec, MAX_TEXT_BYTES } from './dynamodb/text-codec.ts';
import { type TransactionItem, transactWrite } from './dynamodb/transaction.ts';

export type { AttributeNames, CodecContext, DynamoDBStoreOptions, OutcomeCodec, TransactionItem };

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
export function dynamoDBStore(options: DynamoDBStoreOptions): RecordStore<TransactionItem> {
  const resolved = resolveStoreOptions(options);
  const table = tableOf(resolved);
  const { tableName, names } = table;
  const textCodec = createTextCodec(resolved.codec);
  const outcomes = outcomeFormat(table, textCodec);
  const steps = checkpointFormat(textCodec);

  return {
    maxOutcomeBytes: MAX_TEXT_BYTES,

    async insert(record) {
      const { id } = record;
      const item = await itemOf(record);
      try {
        return await resultOf(id, await table.put(item, conditionFor(undefined, names)));
      } catch (error) {
        return metTransaction(error, id);
      }
    },

    async replace(record, expected) {
      const item = await itemOf(record);
      const written = await table.put(item, conditionFor(expected, names));
      if (!written.done) return resultOf(record.id, written);
      return record.status === 'COMPLETED' ? written : { done: true, room: roomIn(item, names) };
    },

    async transact(record, expected, items, token) {
      const condition = { ...conditionFor(expected, names), ...RETURN_EXISTING };
      const put = { TableName: tableName, Item: await itemOf(record), ...condition };
      return transactWrite({ table, put, items, token, read: (item) => existingAt(record.id, item) });
    },

    async remove(id, expected) {
      return resultOf(id, await table.remove(id, conditionFor(expected, names)));
    },

    async read(id) {
      return existingIn(await table.get(id));
    },
  };

  /**
   * The record is there, and a transaction of its owner is still writing to it. What it was before
   * the transaction counts.
   */
  async function metTransaction(error: unknown, id: string): Promise<WriteResult> {
    const { cause } = error as { cause?: unknown };
    if (!(cause instanceof Error) || cause.name !== TRANSACTION_CONFLICT) throw error;
    const existing = await existingAt(id);
    if (existing === undefined) throw error;
    return { done: false, existing };
  }

  async function resultOf(id: string, written: TableWrite): Promise<WriteResult> {
    return written.done ? written : { done: false, existing: await existingAt(id, written.existing) };
  }

  /** The record that was in the way. Some endpoints (emulators, DAX) send no item with a failed condition: it is read. */
  async function existingAt(id: string, item?: Item): Promise<IdempotencyRecord | undefined> {
    try {
      return await existingIn(item ?? (await table.get(id)));
    } catch (error) {
      throw answered(error);
    }
  }

  async function itemOf(record: IdempotencyRecord): Promise<Item> {
    if (record.status === 'COMPLETED') return toItem(record, table, { fields: await outcomes.write(record) });
    const { id, checkpoints } = record;
    return toItem(record, table, checkpoints && { checkpoints: await steps.write(id, checkpoints) });
  }

  async function recordOf(item: Item): Promise<IdempotencyRecord> {
    const parsed = fromItem(item, names);
    if (parsed.status === 'COMPLETED') {
      const { fields, ...completed } = parsed;
      return { ...completed, outcome: await outcomes.read(completed.id, fields) };
    }
    const { stored, ...record } = parsed;
    return stored === undefined ? record : { ...record, checkpoints: steps.read(record.id, stored) };
  }

  async function existingIn(item: Item | undefined): Promise<IdempotencyRecord | undefined> {
    return item === undefined ? undefined : recordOf(item);
  }
}

function conditionFor(expected: Expected | undefined, names: AttributeNames): Condition {
  if (expected === undefined) {
    return { ConditionExpression: 'attribute_not_exists(#id)', ExpressionAttributeNames: { '#id': names.id } };
  }
  const conditions: string[] = [];
  const attributes: Record<string, string> = {};
  const values: Item = {};
  for (const name of ['owner', 'status', 'leaseUntil', 'revision'] as const) {
    if (expected[name] === undefined) continue;
    conditions.push(`#${name} = :${name}`);
    attributes[`#${name}`] = names[name];
    values[`:${name}`] = expected[name];
  }
  return {
    ConditionExpression: conditions.join(' AND '),
    ExpressionAttributeNames: attributes,
    ExpressionAttributeValues: values,
  };
}
