import { sameStored } from '../record/outcome.ts';
import { type CompletedRecord, type IdempotencyRecord, isCompleted } from '../record/record.ts';
import type { Expected } from '../record/store.ts';

/** A write of an outcome: `record`, where the stored record is as `expected`, or where there is none. */
export interface Overwrite {
  readonly record: CompletedRecord;
  readonly expected?: Expected;
}

/**
 * How an outcome is written where another record was met. The work is done: forgetting it would do it again.
 *
 * @returns `undefined` where the outcome is there already, or another execution has the record
 */
export function overwrite(existing: IdempotencyRecord | undefined, completed: CompletedRecord): Overwrite | undefined {
  // The record is gone: TTL or an operator deleted it.
  if (!existing) return { record: completed };
  if (existing.owner === completed.owner) {
    // An earlier outcome of this execution was written, and its answer was lost.
    const isEarlier = isCompleted(existing) && !sameStored(existing.outcome, completed.outcome);
    return isEarlier ? amendment(existing, completed) : undefined;
  }
  // A successor has failed and released the record.
  if (existing.status !== 'RELEASED' || existing.fingerprint !== completed.fingerprint) return undefined;
  return { record: completed, expected: { owner: existing.owner, status: 'RELEASED' } };
}

/** One outcome of an execution replaces another. Without the expected revision, a late write would undo a newer one. */
export function amendment({ owner, revision }: CompletedRecord, completed: CompletedRecord): Overwrite {
  const isFinal = completed.revision === undefined;
  return {
    record: isFinal ? completed : { ...completed, revision: (revision ?? 0) + 1 },
    expected: { owner, status: 'COMPLETED', revision },
  };
}
