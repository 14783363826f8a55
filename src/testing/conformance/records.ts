import { deepStrictEqual } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  type CompletedRecord,
  checkpointTexts,
  type IdempotencyRecord,
  type InProgressRecord,
} from '../../core/record/record.ts';
import type { RecordStore, TransactionResult } from '../../core/record/store.ts';

export interface ConformanceOptions<TItem = never> {
  /** How the checks of `transact` write with it. @default none: the store is not asked for transactions */
  readonly transactions?: TransactionProbe<TItem>;
  /** Whether the store keeps only the fact that an outcome cannot be replayed, and not the reason. @default false */
  readonly hidesReasons?: boolean;
}

/** How a check writes with the transactions of a store, and looks at what they have written. */
export interface TransactionProbe<TItem> {
  /** A write under this name. */
  write(name: string): TItem;
  /** A write that the store refuses. */
  refused(): TItem;
  /** Whether the write under this name has been done. */
  isWritten(name: string): boolean | Promise<boolean>;
}

export type Check = (store: RecordStore<never>, options: ConformanceOptions<never>) => Promise<void>;

/** Far in the future, so that no database deletes the records of a check. Epoch seconds. */
const EXPIRATION = 2_500_000_000;

export function inProgress(changes: Partial<InProgressRecord> = {}): InProgressRecord {
  return {
    id: `op#${randomUUID()}`,
    status: 'IN_PROGRESS',
    owner: randomUUID(),
    attempt: 1,
    leaseUntil: 2_400_000_000_000,
    expiration: EXPIRATION,
    fingerprint: 'fp',
    ...changes,
  };
}

export function completed(
  { id, owner, attempt }: IdempotencyRecord,
  outcome: CompletedRecord['outcome'],
): CompletedRecord {
  return { id, status: 'COMPLETED', owner, attempt, expiration: EXPIRATION, outcome };
}

export async function inserted(
  store: RecordStore<never>,
  changes: Partial<InProgressRecord> = {},
): Promise<InProgressRecord> {
  const record = inProgress(changes);
  isDone(await store.insert(record));
  return record;
}

/** The write was done. `room` may be said with it. */
export function isDone(answer: TransactionResult | undefined): void {
  equal({ done: answer?.done }, { done: true });
}

/** The write met this record, or none. */
export async function isConflict(
  answer: TransactionResult | undefined,
  existing: IdempotencyRecord | undefined,
): Promise<void> {
  const met = answer !== undefined && 'existing' in answer ? answer.existing : undefined;
  equal({ done: answer?.done, existing: await readable(met) }, { done: false, existing });
}

export async function holds(
  store: RecordStore<never>,
  id: string,
  record: IdempotencyRecord | undefined,
): Promise<void> {
  equal(await readable(await store.read(id)), record);
}

/** With the checkpoints as texts: a store may answer with functions that decode them. */
async function readable(record: IdempotencyRecord | undefined): Promise<IdempotencyRecord | undefined> {
  if (record === undefined || !('checkpoints' in record) || record.checkpoints === undefined) return record;
  return { ...record, checkpoints: await checkpointTexts(record.checkpoints) };
}

/** A member that is undefined counts as absent. */
export function equal(actual: unknown, expected: unknown): void {
  deepStrictEqual(plain(actual), plain(expected));
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value));
}
