import type { CompletedRecord, IdempotencyRecord } from './record.ts';

/** What a conditional write expects to find. A record that differs in any of these is left alone. */
export interface Expected {
  readonly owner: string;
  readonly status: IdempotencyRecord['status'];
  /** Given where the lease may have been extended since it was read: at a takeover, and at an extension. */
  readonly leaseUntil?: number;
  /** Given where an outcome takes the place of another one. */
  readonly provisional?: number;
}

/** `existing` is the record that was in the way. A conflict is data, not an exception. */
export type InsertResult =
  | { readonly won: true }
  | { readonly won: false; readonly existing: IdempotencyRecord | undefined };

/** `existing` is what was found instead, `undefined` where there was nothing. */
export type ConditionalResult =
  | { readonly done: true }
  | { readonly done: false; readonly existing: IdempotencyRecord | undefined };

/**
 * What became of a transaction. `refused` is the error by which the store refused the items of the caller (a condition
 * that failed, a mistake in them): nothing was written, and it is for the caller to judge.
 */
export type TransactionResult = ConditionalResult | { readonly done: false; readonly refused: unknown };

/**
 * Where records live. A store decides nothing: it writes atomically under a condition and reports what it found.
 *
 * Rules for an implementation:
 * - every verb is one atomic, durable, linearizable operation on one record;
 * - a store object keeps no state of a request: any number of guards may share it;
 * - it never deletes or hides a record because of its `expiration` (DynamoDB's own TTL may delete it, later);
 * - it throws an `IdempotencyError`: `STORE_UNAVAILABLE` when it cannot answer (with `retryable` false where it certainly
 *   wrote nothing, and `recordRefused` where it will never take this record), `RECORD_INVALID` when what it finds under
 *   the id is no record. Anything else that it throws counts as a retryable failure;
 * - that a record is COMPLETED is said even where its outcome cannot be read: `NOT_REPLAYABLE`, or `UNREADABLE` for now.
 */
export interface RecordStore<TItem = never> {
  /** Put if absent. */
  insert(record: IdempotencyRecord): Promise<InsertResult>;
  /** Compare-and-swap of the whole record. */
  replace(record: IdempotencyRecord, expected: Expected): Promise<ConditionalResult>;
  /** Delete if the record is still as expected. */
  remove(id: string, expected: Expected): Promise<ConditionalResult>;
  /** Strongly consistent read. */
  read(id: string): Promise<IdempotencyRecord | undefined>;
  /**
   * Compare-and-swap of the whole record together with writes of the caller (`TItem`, in the form of the store's own
   * database): all or nothing. `token` is the same whenever the same transaction is sent again. What stands in the way of
   * the record is answered rather than what stands in the way of the items. @default there are no transactions
   */
  transact?(
    record: CompletedRecord,
    expected: Expected,
    items: readonly TItem[],
    token: string,
  ): Promise<TransactionResult>;
  /** Bytes of UTF-8 that an outcome may have. A larger one is stored as not replayable. @default unlimited */
  readonly maxOutcomeBytes?: number;
}
