import type { IdempotencyRecord } from '../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../core/record/store.ts';
import { checkpointFormat } from './dynamodb/checkpoints.ts';
import type { CodecContext, OutcomeCodec } from './dynamodb/codec.ts';
import { MAX_TEXT_BYTES } from './dynamodb/compression.ts';
import { answered, TRANSACTION_CONFLICT } from './dynamodb/failure.ts';
import { type Formatted, fromItem, toItem } from './dynamodb/item.ts';
import type { Item } from './dynamodb/marshalling.ts';
import { type AttributeNames, type DynamoDBStoreOptions, resolveStoreOptions } from './dynamodb/options.ts';
import { outcomeFormat } from './dynamodb/outcome.ts';
import { type Condition, RETURN_EXISTING, type TableWrite, tableOf } from './dynamodb/table.ts';
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

  return {
    maxOutcomeBytes: MAX_TEXT_BYTES,

    async insert(record) {
      const condition = {
        ConditionExpression: 'attribute_not_exists(#id)',
        ExpressionAttributeNames: { '#id': names.id },
      };
      const written = await table
        .put(await itemOf(record), condition)
        .catch((error) => metTransaction(error, record.id));
      if (written.done) return written;
      try {
        return await resultOf(written);
      } catch (error) {
        throw answered(error);
      }
    },

    async replace(record, expected) {
      return resultOf(await table.put(await itemOf(record), conditionFor(expected, names)));
    },

    async transact(record, expected, items, token) {
      const condition = { ...conditionFor(expected, names), ...RETURN_EXISTING };
      const put = { TableName: tableName, Item: await itemOf(record), ...condition };
      return transactWrite({ table, put, items, token, read: existingIn });
    },

    async remove(id, expected) {
      return resultOf(await table.remove(id, conditionFor(expected, names)));
    },

    async read(id) {
      return existingIn(await table.get(id));
    },
  };

  /**
   * The record is there, and a transaction of its owner is still writing to it. What it was before
   * the transaction counts.
   */
  async function metTransaction(error: unknown, id: string): Promise<TableWrite> {
    const { cause } = error as { cause?: unknown };
    if (!(cause instanceof Error) || cause.name !== TRANSACTION_CONFLICT) throw error;
    const existing = await table.get(id).catch((reading) => {
      throw answered(reading);
    });
    if (existing === undefined) throw error;
    return { done: false, existing };
  }

  async function resultOf(written: TableWrite): Promise<WriteResult> {
    return written.done ? { done: true } : { done: false, existing: await existingIn(written.existing) };
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
    return stored === undefined ? record : { ...record, checkpoints: steps.read(record.id, stored) };
  }

  async function existingIn(item: Item | undefined): Promise<IdempotencyRecord | undefined> {
    return item === undefined ? undefined : recordOf(item);
  }
}

function conditionFor(expected: Expected, names: AttributeNames): Condition {
  const { owner, status, leaseUntil, revision } = expected;
  const wanted = Object.entries({ owner, status, leaseUntil, revision }).filter(([, value]) => value !== undefined);
  return {
    ConditionExpression: wanted.map(([name]) => `#${name} = :${name}`).join(' AND '),
    ExpressionAttributeNames: Object.fromEntries(wanted.map(([name]) => [`#${name}`, names[name as keyof Expected]])),
    ExpressionAttributeValues: Object.fromEntries(wanted.map(([name, value]) => [`:${name}`, value])),
  };
}
