import type { CompletedRecord, IdempotencyRecord } from './record.ts';

/** What a conditional write expects to find. A record that differs in any of these is left alone. */
export interface Expected {
  readonly owner: string;
  readonly status: IdempotencyRecord['status'];
  /** Given where the lease may have been extended since it was read: at a takeover and at an extension. */
  readonly leaseUntil?: number | undefined;
  /** Given where an outcome replaces another one. */
  readonly revision?: number | undefined;
}

/**
 * The answer to a conditional write. `existing` is the record that was in the way, `undefined` where there was none.
 * A conflict is data, not an exception.
 */
export type WriteResult =
  /** `room`: bytes by which the record may still grow, said when they are few. A step that could not be kept does not run. */
  | { readonly done: true; readonly room?: number | undefined }
  | { readonly done: false; readonly existing: IdempotencyRecord | undefined };

/**
 * The answer to a transaction. `itemsError` is the error by which the store refused the caller's items: a condition that
 * failed, or a mistake in them. Nothing was written, and the caller decides what follows.
 */
export type TransactionResult = WriteResult | { readonly done: false; readonly itemsError: unknown };

/**
 * Where records live. A store decides nothing: it writes atomically under a condition and reports what it found.
 *
 * Rules for an implementation:
 * - Every verb is one atomic, durable, linearizable operation on one record.
 * - A store object keeps no state of a request: any number of guards may share it.
 * - It never deletes or hides a record because of its `expiration`. DynamoDB's own TTL may delete it, later.
 * - It throws an `IdempotencyError`: `STORE_UNAVAILABLE` when it cannot do the request, `RECORD_INVALID` when the item
 *   under the id is no record. Any other error counts as retryable and unanswered.
 * - With `STORE_UNAVAILABLE` it says `retryable: false` only where it certainly wrote nothing, and `unanswered: true` only
 *   where no answer came. It says `recordRefused: true` where it does not take this record.
 * - A COMPLETED record is answered as COMPLETED even where its outcome cannot be read: `NOT_REPLAYABLE`, or `UNREADABLE`
 *   for now.
 */
export interface RecordStore<TItem = never> {
  /** Writes the record if there is none under its id. */
  insert(record: IdempotencyRecord): Promise<WriteResult>;
  /** Replaces the whole record if it is as expected. */
  replace(record: IdempotencyRecord, expected: Expected): Promise<WriteResult>;
  /** Deletes the record if it is as expected. */
  remove(id: string, expected: Expected): Promise<WriteResult>;
  /** A strongly consistent read. */
  read(id: string): Promise<IdempotencyRecord | undefined>;
  /**
   * Replaces the whole record if it is as expected, together with writes of the caller: all or nothing. Where `expected` is
   * `undefined`, it expects no record under the id. `TItem` is a write in the form of the store's own database. `token` is the
   * same whenever the same transaction is sent again. A conflict of the record is answered before a conflict of the items.
   *
   * Where `record` is `undefined`, it writes the items alone. It answers a failure as `itemsError`, unless the same `token`
   * makes it safe to send them again.
   * @default there are no transactions
   */
  transact?(
    record: CompletedRecord | undefined,
    expected: Expected | undefined,
    items: readonly TItem[],
    token: string,
  ): Promise<TransactionResult>;
  /** Bytes of UTF-8 that an outcome may have. A larger one is stored as not replayable. @default unlimited */
  readonly maxOutcomeBytes?: number;
  /**
   * Given by the stores for DynamoDB, whose transactions take any record and entries of `TransactItems`.
   * @default it is another store
   */
  readonly dynamoDB?: { readonly codec?: unknown };
  /**
   * Why the store may lose what it has confirmed. Then `onExpiredLease: 'throw'` is refused with this text.
   * @default it keeps what it has confirmed
   */
  readonly durability?: string;
}
