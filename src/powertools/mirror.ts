import { expirationAt } from '../core/budget.ts';
import { decodeOutcome } from '../core/record/outcome.ts';
import type { CompletedRecord, IdempotencyRecord, InProgressRecord } from '../core/record/record.ts';
import type { Expected, RecordStore, TransactionResult, WriteResult } from '../core/record/store.ts';
import type { TransactionItem } from '../stores/dynamodb/transaction-item.ts';
import { fitsInItem, MIRROR_OF } from './item.ts';
import { isClaim, type Migration, predecessorOf } from './predecessor.ts';

/** The longest pause after a conflict of transactions, milliseconds. */
const CONFLICT_MILLIS = 50;

/** A condition of a write, and what it names. */
interface Conditional {
  readonly ConditionExpression: string;
  readonly ExpressionAttributeNames: Record<string, string>;
  readonly ExpressionAttributeValues: Record<string, unknown>;
}

/** The transactions of DynamoDB's stores: they take any record. */
type Transact = (
  record: IdempotencyRecord,
  expected: Expected | undefined,
  items: readonly TransactionItem[],
  token: string,
) => Promise<TransactionResult>;

/**
 * The store of one request, where old and new code run together. Every write of our record is one transaction with its shadow, the
 * same as an item of Powertools. So each of them sees the executions of the other.
 */
export function mirror(migration: Migration): RecordStore {
  const { options, runtime, identity, legacy, table } = migration;
  const { store } = options;
  const { id } = identity;
  const { look, accept, read } = predecessorOf(migration);
  const transact = ((...given: Parameters<Transact>) => (store.transact as Transact).apply(store, given)) as Transact;
  return {
    insert: (record) => (isClaim(record) ? claim(record, undefined) : write(record, undefined)),
    replace: (record, expected) => (isClaim(record, expected) ? claim(record, expected) : write(record, expected)),
    /** Takes a first claim back, under its condition: without it, the shadow of another claim would be deleted. */
    async remove(_, expected) {
      const expiration = expirationAt(runtime.now(), options);
      return write({ id, status: 'RELEASED', owner: expected.owner, attempt: 1, expiration }, expected);
    },
    read,
    async transact(completed, expected, items, token) {
      // A guard that is switched off goes past this store: there is a record.
      const record = completed as CompletedRecord;
      return transact(record, expected, [...items, shadowOf(record)], token);
    },
    ...(store.maxOutcomeBytes !== undefined && { maxOutcomeBytes: store.maxOutcomeBytes }),
  };

  async function claim(record: InProgressRecord, expected: Expected | undefined): Promise<WriteResult> {
    // First a read: a write of Powertools that meets a transaction is refused, also the one of its outcome.
    const known = await look(record);
    if (known) {
      const own = expected ? undefined : await store.read(id);
      return own ? { done: false, existing: own } : accept(known, record, expected);
    }
    try {
      const answer = await transact(record, expected, [shadowOf(record)], runtime.randomToken());
      if (!('itemsError' in answer)) return answer;
    } catch (error) {
      if (!isConflict(error)) throw error;
      await runtime.delay(runtime.random() * CONFLICT_MILLIS).elapsed;
    }
    // The old code, or another claim, was faster.
    return { done: false, existing: await read() };
  }

  /**
   * A write of the owner. Our record is the truth: where Powertools has written over its shadow, it is written alone. After the
   * end of its lease it is not: Powertools may have taken over.
   */
  async function write(record: IdempotencyRecord, expected: Expected | undefined): Promise<WriteResult> {
    const answer = await transact(record, expected, [shadowOf(record)], runtime.randomToken());
    if (!('itemsError' in answer)) return answer;
    if ((expected?.leaseUntil ?? Number.POSITIVE_INFINITY) <= runtime.now())
      return { done: false, existing: undefined };
    return expected ? store.replace(record, expected) : store.insert(record);
  }

  // What Powertools sees.

  function shadowOf(record: IdempotencyRecord): TransactionItem {
    const TableName = migration.powertools.tableName;
    if (record.status === 'RELEASED') return { Delete: { TableName, Key: table.keyOf(legacy.id), ...shadowIsOurs() } };
    // As Powertools stores an outcome: whatever is there.
    if (record.status === 'COMPLETED') return { Put: { TableName, Item: completed(record) } };
    return { Put: { TableName, Item: inProgress(record, leaseEnd(record)), ...mayClaim() } };
  }

  /** With `'throw'`, nothing runs again before an operator has resolved the record: Powertools waits as long. */
  function leaseEnd({ leaseUntil, expiration }: InProgressRecord): number {
    return options.onExpiredLease === 'throw' ? expiration * 1000 : leaseUntil + options.clockSkewMillis;
  }

  function inProgress({ expiration }: IdempotencyRecord, until: number): Record<string, unknown> {
    const { names } = migration.powertools;
    return {
      ...table.keyOf(legacy.id),
      [names.status]: 'INPROGRESS',
      [names.expiry]: expiration,
      [names.inProgressExpiry]: until,
      ...(legacy.validation !== undefined && { [names.validation]: legacy.validation }),
      [MIRROR_OF]: id,
    };
  }

  /** What Powertools cannot hold stays in progress for it until the outcome expires: it is never executed again. */
  function completed(record: CompletedRecord): Record<string, unknown> {
    const { outcome, expiration } = record;
    const { names } = migration.powertools;
    const item = inProgress(record, expiration * 1000);
    if (outcome.type !== 'RETURNED') return item;
    const { value } = decodeOutcome(outcome) as { readonly value: unknown };
    if (value !== undefined && !fitsInItem(value)) return item;
    return { ...item, [names.status]: 'COMPLETED', ...(value !== undefined && { [names.data]: value }) };
  }

  /** Powertools' own condition for a claim, or its item is the shadow of our record: that one has a condition of its own. */
  function mayClaim(): Conditional {
    const { names } = migration.powertools;
    const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues } = shadowIsOurs();
    const now = runtime.now();
    return {
      ConditionExpression:
        '#expiry < :now OR (#status = :inprogress AND attribute_exists(#in_progress_expiry) AND #in_progress_expiry < ' +
        `:now_in_millis) OR ${ConditionExpression}`,
      ExpressionAttributeNames: {
        ...ExpressionAttributeNames,
        '#expiry': names.expiry,
        '#in_progress_expiry': names.inProgressExpiry,
      },
      ExpressionAttributeValues: { ...ExpressionAttributeValues, ':now': now / 1000, ':now_in_millis': now },
    };
  }

  function shadowIsOurs(): Conditional {
    const { names } = migration.powertools;
    return {
      ConditionExpression: 'attribute_not_exists(#id) OR (#status = :inprogress AND #mirror_of = :record)',
      ExpressionAttributeNames: { '#id': names.key, '#status': names.status, '#mirror_of': MIRROR_OF },
      ExpressionAttributeValues: { ':inprogress': 'INPROGRESS', ':record': id },
    };
  }
}

/** Two transactions met, or a transaction and a write. Nothing was written. */
function isConflict(error: unknown): boolean {
  const { cause } = error as { cause?: { CancellationReasons?: readonly { Code?: string }[] } };
  return cause?.CancellationReasons?.some(({ Code }) => Code === 'TransactionConflict') ?? false;
}
