import { expirationAt } from '../core/budget.ts';
import { resolveProtocolOptions } from '../core/options.ts';
import { returned, withinLimit } from '../core/record/outcome.ts';
import type { CompletedRecord, IdempotencyRecord, InProgressRecord, ReleasedRecord } from '../core/record/record.ts';
import type { Expected, RecordStore } from '../core/record/store.ts';
import type { Runtime } from '../core/runtime.ts';
import { functionFormat } from '../function/format.ts';
import { systemRuntime } from '../runtime.ts';
import { isLeaseOver } from './describe.ts';

export interface ResolveOptions {
  /**
   * How long the record is kept from now on: a completed one is replayed that long. The guard's own
   * retention is not known here. Give it for a guard with `onExpiredLease: 'throw'`, whose records
   * are otherwise kept for years.
   * @default as long as it would be kept now, and at least 86_400
   */
  readonly retentionSeconds?: number;
  /** As in the guard. @default 1000 */
  readonly clockSkewMillis?: number;
  /**
   * The owner token of a live lease that is to be overruled. Its execution may be running:
   * releasing its record lets a second one start beside it. @default none: a live lease is refused
   */
  readonly force?: string;
}

/** What became of an attempt to resolve a record. Only `done` has written. */
export type Resolution =
  | { readonly kind: 'done'; readonly record: ReleasedRecord | CompletedRecord }
  | { readonly kind: 'notFound' }
  /** It is no longer what was expected: look again. */
  | { readonly kind: 'changed'; readonly existing: IdempotencyRecord }
  /** Its execution may be running. */
  | { readonly kind: 'live'; readonly existing: InProgressRecord }
  /**
   * There is nothing to resolve: a client may have got the stored outcome, or the record is
   * released.
   */
  | { readonly kind: 'settled'; readonly existing: IdempotencyRecord };

/**
 * Lets the next request with this key execute. Use it for an unknown outcome when you know that
 * nothing happened. The count of attempts stays, and so do checkpoints.
 *
 * @param expected what was read before: the record itself, or its owner, status and (while in progress) lease
 * @throws IdempotencyError `STORE_UNAVAILABLE`, `RECORD_INVALID`
 * @throws TypeError that names what is wrong in the arguments
 */
export function releaseRecord(
  store: RecordStore,
  id: string,
  expected: Expected,
  options: ResolveOptions = {},
): Promise<Resolution> {
  return createResolving(systemRuntime).release(store, id, expected, options);
}

/**
 * Gives every retry with this key the response, as if the handler had returned it. Use it for an
 * unknown outcome when you know what happened. Use it for a released record, too, when the
 * execution that failed had its effect after all.
 *
 * @param response as the handler would have returned it. It is stored as JSON
 * @param expected what was read before: the record itself, or its owner, status and (while in progress) lease
 * @throws IdempotencyError `STORE_UNAVAILABLE`, `RECORD_INVALID`
 * @throws TypeError when the response cannot be stored, or that names what is wrong in the arguments
 */
export function completeRecord(
  store: RecordStore,
  id: string,
  expected: Expected,
  response: unknown,
  options: ResolveOptions = {},
): Promise<Resolution> {
  return createResolving(systemRuntime).complete(store, id, expected, response, options);
}

/** `releaseRecord` and `completeRecord` with the clock and the randomness passed in. @internal */
export function createResolving(runtime: Pick<Runtime, 'now' | 'randomToken'>) {
  return {
    async release(store: RecordStore, id: string, expected: Expected, options: ResolveOptions): Promise<Resolution> {
      return resolve(store, id, expected, options, (record, ending) => {
        if (record.status !== 'IN_PROGRESS') return undefined;
        const { leaseUntil: _, ...kept } = record;
        return { ...kept, ...ending, status: 'RELEASED' };
      });
    },

    async complete(
      store: RecordStore,
      id: string,
      expected: Expected,
      response: unknown,
      options: ResolveOptions,
    ): Promise<Resolution> {
      const outcome = withinLimit(functionFormat.encode(returned(response)).stored, store.maxOutcomeBytes);
      if (outcome.type === 'NOT_REPLAYABLE') throw new TypeError(`the response cannot be stored: ${outcome.reason}`);
      return resolve(store, id, expected, options, ({ status, attempt, fingerprint }, ending) => {
        if (status === 'COMPLETED') return undefined;
        const base = { id, attempt, ...(fingerprint !== undefined && { fingerprint }) };
        return { ...base, ...ending, status: 'COMPLETED', outcome };
      });
    },
  };

  async function resolve(
    store: RecordStore,
    id: string,
    expected: Expected,
    options: ResolveOptions,
    settle: (
      record: IdempotencyRecord,
      ending: Pick<IdempotencyRecord, 'owner' | 'expiration'>,
    ) => ReleasedRecord | CompletedRecord | undefined,
  ): Promise<Resolution> {
    const condition = conditionOf(expected);
    const { force, ...protocol } = options;
    const { retentionSeconds } = protocol;
    const resolved = resolveProtocolOptions({ store, ...protocol });
    const existing = await store.read(id);
    if (existing === undefined) return { kind: 'notFound' };
    if (!isSame(existing, condition)) return { kind: 'changed', existing };
    const now = runtime.now();
    // A new owner, as at every takeover: an execution that is still running loses its lease. If it
    // ends anyway, its outcome is not mistaken for one that it has released itself.
    const owner = runtime.randomToken();
    // If it were kept for less, its request could execute again while its guard still promises the
    // outcome.
    const least = retentionSeconds === undefined ? existing.expiration : 0;
    const record = settle(existing, { owner, expiration: Math.max(least, expirationAt(now, resolved)) });
    if (record === undefined) return { kind: 'settled', existing };
    const isLive = existing.status === 'IN_PROGRESS' && !isLeaseOver(existing, now, resolved.clockSkewMillis);
    if (isLive && force !== existing.owner) return { kind: 'live', existing };
    const answer = await store.replace(record, condition);
    if (answer.done) return { kind: 'done', record };
    if (answer.existing === undefined) return { kind: 'notFound' };
    // The SDK has sent the write again: the record in the way is our own.
    return answer.existing.owner === owner ? { kind: 'done', record } : { kind: 'changed', existing: answer.existing };
  }
}

/** @throws TypeError when the condition would miss that the owner has extended the lease */
function conditionOf({ owner, status, leaseUntil }: Expected): Expected {
  if (typeof owner !== 'string' || typeof status !== 'string') {
    throw new TypeError('expected: the record as it was read is required, or its owner, status and leaseUntil');
  }
  if (status !== 'IN_PROGRESS') return { owner, status };
  if (typeof leaseUntil !== 'number') throw new TypeError('expected.leaseUntil: is required with IN_PROGRESS');
  return { owner, status, leaseUntil };
}

function isSame(existing: IdempotencyRecord, { owner, status, leaseUntil }: Expected): boolean {
  if (existing.owner !== owner || existing.status !== status) return false;
  return existing.status !== 'IN_PROGRESS' || existing.leaseUntil === leaseUntil;
}
