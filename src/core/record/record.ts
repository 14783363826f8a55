import type { IdempotencyError } from '../../errors.ts';

/**
 * The idempotency record: one for each record id, three states.
 *
 * IN_PROGRESS -> COMPLETED when the outcome is stored, -> RELEASED (or gone) when a retry may execute.
 */
export type IdempotencyRecord = InProgressRecord | CompletedRecord | ReleasedRecord;

interface RecordBase {
  /** `<operation>#<base64url SHA-256 of the canonical JSON of [scope, key]>` */
  readonly id: string;
  /** A random token, fresh for every claim: the fence on every later write. */
  readonly owner: string;
  /** 1 for the first claim, one more at every takeover. */
  readonly attempt: number;
  /** Past this the record is treated as absent. Epoch seconds: it is the table's TTL attribute. */
  readonly expiration: number;
  /** Digest of what must stay the same between retries. */
  readonly fingerprint?: string | undefined;
}

export interface InProgressRecord extends RecordBase {
  readonly status: 'IN_PROGRESS';
  /**
   * Until then only the owner may execute. Epoch milliseconds. Every write of the owner moves it on by at least one
   * millisecond. So it is the version of the record, too: a late write expects an earlier one, and fails.
   */
  readonly leaseUntil: number;
  readonly checkpoints?: Checkpoints | undefined;
}

export interface CompletedRecord extends RecordBase {
  readonly status: 'COMPLETED';
  readonly outcome: StoredOutcome;
  /**
   * Given where the outcome was written before its execution had ended: another one may still replace it. 1 for the first
   * outcome, one more for each that replaced it. The revision orders these writes, so that a late one cannot replace a newer one.
   */
  readonly revision?: number | undefined;
  /** The token of the transaction that wrote this outcome, if one did: another transaction's success is not its own. */
  readonly transaction?: string | undefined;
}

/** Kept after a release, because the attempt number and the checkpoints must survive for the next attempt. */
export interface ReleasedRecord extends RecordBase {
  readonly status: 'RELEASED';
  readonly checkpoints?: Checkpoints | undefined;
}

/**
 * Results of the steps that are done, by name, for the next attempt. JSON text: `{"result":…}`, without a member for
 * `undefined`, or `{"notReplayable":"the reason"}`. A store may answer with a function that decodes the text: a duplicate
 * needs none of them.
 */
export type Checkpoints = Readonly<Record<string, string | (() => Promise<string>)>>;

/** Checkpoints that are decoded. */
export type CheckpointTexts = Readonly<Record<string, string>>;

/** @throws IdempotencyError `RECORD_INVALID`, or `STORE_UNAVAILABLE` when one cannot be decoded now */
export async function checkpointTexts(checkpoints: Checkpoints): Promise<CheckpointTexts> {
  const texts = Object.entries(checkpoints).map(
    async ([name, text]) => [name, typeof text === 'function' ? await text() : text] as const,
  );
  return Object.fromEntries(await Promise.all(texts));
}

/**
 * What an execution ended with, as it is stored.
 *
 * - `RETURNED`: `json` is the response as JSON text; absent when the response was `undefined`.
 * - `THREW`: `json` is the error as JSON text.
 * - `NOT_REPLAYABLE`: the work is done, `reason` says why its response is not here.
 * - `UNREADABLE`: never stored; the work is done, and `error` says why its response cannot be read now.
 */
export type StoredOutcome =
  | { readonly type: 'RETURNED'; readonly json?: string }
  | { readonly type: 'THREW'; readonly json: string }
  | { readonly type: 'NOT_REPLAYABLE'; readonly reason: string }
  | { readonly type: 'UNREADABLE'; readonly error: IdempotencyError };

/** Whether there is a record that has its outcome. */
export function isCompleted<T extends { readonly status: string }>(
  record: T | undefined,
): record is Extract<T, { status: 'COMPLETED' }> {
  return record?.status === 'COMPLETED';
}

/** Whether the record is past its retention. Then it counts as absent, even while the table still has it. */
export function isExpired(record: IdempotencyRecord, now: number): boolean {
  return now >= record.expiration * 1000;
}

/** One logical request, computed once, before anything can change the event. */
export interface Identity {
  readonly operation: string;
  /** The record id. */
  readonly id: string;
  /** Digest of what must stay the same between retries. */
  readonly fingerprint?: string | undefined;
  /** A UUID for a downstream call, the same on every attempt. */
  deriveKey(name: string): string;
}
