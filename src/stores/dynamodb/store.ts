import { type IdempotencyRecord, isCompleted } from '../../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../../core/record/store.ts';
import { checkpointFormat } from './checkpoints.ts';
import type { Connection } from './connection.ts';
import { answered, TRANSACTION_CONFLICT } from './failure.ts';
import type { Item } from './item.ts';
import { fromItem, roomIn, toItem } from './item.ts';
import type { AttributeNames, ResolvedTableOptions } from './options.ts';
import { outcomeFormat } from './outcome.ts';
import { type Condition, conditionOf, RETURN_EXISTING, type TableWrite, tableOf } from './table.ts';
import { createTextCodec, MAX_TEXT_BYTES } from './text-codec.ts';
import { transactWrite } from './transaction.ts';
import type { TransactionItem } from './transaction-item.ts';

export interface DynamoDBStore extends RecordStore<TransactionItem> {
  /**
   * For the initialisation of a function, `await store.prime()`: the first request then finds credentials, connection and
   * code loaded. Reads a record that does not exist: half a read unit, and the permission `dynamodb:GetItem`. Never throws: what
   * fails here shows at the first request. Waits 2 s at most.
   */
  prime(): Promise<void>;
}

/** A record id has a `#`: no record has this one. */
const PRIMING_ID = 'prime';
/** Lambda gives an initialisation 10 s (AWS: "Lambda execution environment lifecycle"). */
const PRIME_MILLIS = 2000;

/** Records in a DynamoDB table, over any connection to DynamoDB: what both public stores have in common. */
export function recordStore(options: ResolvedTableOptions, connection: Connection): DynamoDBStore {
  const table = tableOf(options, connection);
  const { tableName, names } = table;
  const textCodec = createTextCodec(options.codec);
  const outcomes = outcomeFormat(table, textCodec);
  const steps = checkpointFormat(table, textCodec);

  return {
    maxOutcomeBytes: MAX_TEXT_BYTES,
    dynamoDB: options,

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
      return isCompleted(record) ? written : { done: true, room: roomIn(item, names) };
    },

    async transact(record, expected, items, token) {
      if (!record) return transactWrite({ table, items, token });
      const Item = await itemOf(record);
      const put = { TableName: tableName, Item, ...conditionFor(expected, names), ...RETURN_EXISTING };
      const answer = await transactWrite({ table, put, items, token, read: (item) => existingAt(record.id, item) });
      return answer.done ? { done: true, room: roomIn(Item, names) } : answer;
    },

    async remove(id, expected) {
      return resultOf(id, await table.remove(id, conditionFor(expected, names)));
    },

    async read(id) {
      return recordOf(await table.get(id));
    },

    prime: () =>
      new Promise((resolve) => {
        setTimeout(resolve, PRIME_MILLIS).unref();
        const end = () => resolve();
        table.get(PRIMING_ID).then(end, end);
      }),
  };

  /**
   * The record is there, and a transaction of its owner is still writing to it. What it was before
   * the transaction counts.
   */
  async function metTransaction(error: unknown, id: string): Promise<WriteResult> {
    const { cause } = error as { cause?: unknown };
    if (!(cause instanceof Error) || cause.name !== TRANSACTION_CONFLICT) throw error;
    const existing = await existingAt(id);
    if (!existing) throw error;
    return { done: false, existing };
  }

  async function resultOf(id: string, written: TableWrite): Promise<WriteResult> {
    return written.done ? written : { done: false, existing: await existingAt(id, written.existing) };
  }

  /** The record that was in the way. Some endpoints (emulators, DAX) send no item with a failed condition: it is read. */
  async function existingAt(id: string, item?: Item): Promise<IdempotencyRecord | undefined> {
    try {
      return await recordOf(item ?? (await table.get(id)));
    } catch (error) {
      throw answered(error);
    }
  }

  async function itemOf(record: IdempotencyRecord): Promise<Item> {
    if (isCompleted(record)) {
      steps.forget(record.id);
      return toItem(record, table, await outcomes.write(record));
    }
    const { checkpoints } = record;
    return toItem(record, table, { checkpoints: checkpoints && (await steps.write(record, checkpoints)) });
  }

  async function recordOf(item: Item | undefined): Promise<IdempotencyRecord | undefined> {
    if (item === undefined) return undefined;
    const parsed = fromItem(item, names);
    if (isCompleted(parsed)) {
      const { fields, ...completed } = parsed;
      return { ...completed, outcome: await outcomes.read(completed.id, fields) };
    }
    const { stored, ...record } = parsed;
    return stored === undefined ? record : { ...record, checkpoints: steps.read(record.id, stored) };
  }
}

function conditionFor(expected: Expected | undefined, names: AttributeNames): Condition {
  if (!expected) return conditionOf('attribute_not_exists(#id)', { '#id': names.id });
  const conditions: string[] = [];
  const attributes: Record<string, string> = {};
  const values: Item = {};
  for (const name of ['owner', 'status', 'leaseUntil', 'revision'] as const) {
    if (expected[name] === undefined) continue;
    conditions.push(`#${name} = :${name}`);
    attributes[`#${name}`] = names[name];
    values[`:${name}`] = expected[name];
  }
  return conditionOf(conditions.join(' AND '), attributes, values);
}
