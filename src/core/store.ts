import type { IdempotencyRecord } from './record.ts';

/** What a conditional write expects to find. A record that differs in any of these is left alone. */
export interface Expected {
  readonly owner: string;
  readonly status: IdempotencyRecord['status'];
  /** Given where the lease may have been extended since it was read: at a takeover, and at an extension. */
  readonly leaseUntil?: number;
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
 * Where records live. A store decides nothing: it writes atomically under a condition and reports what it found.
 *
 * Rules for an implementation:
 * - every verb is one atomic, durable, linearizable operation on one record;
 * - a store object keeps no state of a request: any number of guards may share it;
 * - it never deletes or hides a record because of its `expiration` (DynamoDB's own TTL may delete it, later);
 * - it throws an `IdempotencyError`: `STORE_UNAVAILABLE` when it cannot answer (with `retryable` false where it certainly
 *   wrote nothing, and `recordRefused` where it will never take this record), `RECORD_INVALID` when what it finds under
 *   the id is no record. Anything else that it throws counts as a retryable failure.
 */
export interface RecordStore {
  /** Put if absent. */
  insert(record: IdempotencyRecord): Promise<InsertResult>;
  /** Compare-and-swap of the whole record. */
  replace(record: IdempotencyRecord, expected: Expected): Promise<ConditionalResult>;
  /** Delete if the record is still as expected. */
  remove(id: string, expected: Expected): Promise<ConditionalResult>;
  /** Strongly consistent read. */
  read(id: string): Promise<IdempotencyRecord | undefined>;
  /** Bytes of UTF-8 that an outcome may have. A larger one is stored as not replayable. @default unlimited */
  readonly maxOutcomeBytes?: number;
}
