import type { IdempotencyRecord } from '../../core/record/record.ts';
import type { TransactionResult } from '../../core/record/store.ts';
import { IdempotencyError } from '../../errors.ts';
import type { TransactionError } from './connection.ts';
import { REGION_MISSING, sdkError, unavailable } from './failure.ts';
import { type Item, unmarshalled } from './item.ts';
import type { Table } from './table.ts';
import type { TransactionItem } from './transaction-item.ts';

interface Transaction {
  readonly table: Table;
  /** The record, if any. */
  readonly put?: NonNullable<TransactionItem['Put']>;
  readonly items: readonly TransactionItem[];
  readonly token: string;
  readonly read?: (item: Item | undefined) => Promise<IdempotencyRecord | undefined>;
}

/** The record last: the reasons of the caller's items keep their places. */
export async function transactWrite(transaction: Transaction): Promise<TransactionResult> {
  const { table, put, items, token } = transaction;
  const failed = await table.transact(put ? [...items, { Put: put }] : items, token);
  return failed ? answerOf(failed, transaction) : { done: true };
}

/** Reasons that go away by themselves. API reference of TransactWriteItems, "TransactionCanceledException". */
const TRANSIENT = ['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded'];

async function answerOf(
  failed: TransactionError,
  { table: { tableName }, read }: Transaction,
): Promise<TransactionResult> {
  const { error } = failed;
  const reasons = reasonsOf(error);
  const own = reasons.at(-1);
  if (!own || !read) {
    if (isMistake(failed)) return { done: false, itemsError: error };
    throw error instanceof IdempotencyError ? error : unavailable(error, tableName);
  }
  // This comes first: the record may be there because this transaction was applied and its answer
  // lost.
  if (own.Code === 'ConditionalCheckFailed')
    return { done: false, existing: await read(own.Item && unmarshalled(own.Item)) };
  const isFinal = ({ Code = 'None' }: CancellationReason) => Code !== 'None' && !TRANSIENT.includes(Code);
  if (reasons.slice(0, -1).some(isFinal)) return { done: false, itemsError: error };
  if (!isFinal(own)) throw unavailable(error, tableName);
  // The record itself: its size, or the shape of its table.
  throw unavailable(Object.assign(new Error(own.Message), { name: 'ValidationException' }), tableName);
}

/** A reason for which DynamoDB cancelled a transaction: one for each of its items. */
interface CancellationReason {
  readonly Code?: string;
  readonly Message?: string;
  readonly Item?: object;
}

function reasonsOf(error: unknown): readonly CancellationReason[] {
  return (error as { CancellationReasons?: readonly CancellationReason[] } | undefined)?.CancellationReasons ?? [];
}

/** DynamoDB says what is wrong with the items; or the SDK does, which then has sent nothing. */
function isMistake({ error, wasSent }: TransactionError): boolean {
  const { name, message, status } = sdkError(error);
  if (['ValidationException', 'TransactionCanceledException'].includes(name)) return true;
  const isPlain = (name === 'Error' || name === 'TypeError') && (error as { code?: unknown }).code === undefined;
  return isPlain && !wasSent && status === 0 && message !== REGION_MISSING;
}
