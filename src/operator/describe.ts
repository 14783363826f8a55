import { DEFAULT_CLOCK_SKEW_MILLIS } from '../core/options.ts';
import { decodeOutcome } from '../core/record/outcome.ts';
import { type IdempotencyRecord, isExpired, type StoredOutcome } from '../core/record/record.ts';
import { IdempotencyError } from '../errors.ts';

/**
 * What a record means for the next request with its key.
 *
 * - `running`: an execution holds the lease; the request is refused with `IN_FLIGHT`.
 * - `outcomeUnknown`: the lease has ended and nothing was settled. The request executes, or is
 *   refused with `OUTCOME_UNKNOWN` where `onExpiredLease` is `'throw'`.
 * - `completed`: the request gets the outcome.
 * - `released`: the request executes.
 * - `expired`: the record counts as absent.
 */
export type RecordState = 'running' | 'outcomeUnknown' | 'completed' | 'released' | 'expired';

/** A record for people, and for `JSON.stringify`. Times are ISO 8601, in UTC. */
export interface RecordDescription {
  readonly id: string;
  readonly operation: string;
  readonly status: IdempotencyRecord['status'];
  readonly state: RecordState;
  readonly attempt: number;
  readonly owner: string;
  /** While in progress. `over`: it has ended on every clock within the tolerance for clock skew. */
  readonly lease?: { readonly until: string; readonly over: boolean };
  readonly expiration: { readonly at: string; readonly past: boolean };
  readonly fingerprint?: string;
  readonly outcome?: OutcomeDescription;
  /** The names of the steps that are done. */
  readonly checkpoints?: readonly string[];
}

export type OutcomeDescription =
  | {
      readonly kind: 'returned';
      /** Of the JSON text; 0 when the response was `undefined`. */
      readonly bytes: number;
      readonly statusCode?: number;
      /** Only where it was asked for. */
      readonly value?: unknown;
    }
  | {
      readonly kind: 'threw';
      readonly bytes: number;
      readonly name?: string;
      readonly code?: string | number;
      readonly statusCode?: number;
      /** The error as it is stored. Only where it was asked for. */
      readonly value?: unknown;
    }
  | { readonly kind: 'notReplayable'; readonly reason: string };

export interface DescribeOptions {
  /**
   * Whether the description contains the stored response or error: it may be confidential.
   * @default false
   */
  readonly withOutcome?: boolean;
  /** As in the guard. @default 1000 */
  readonly clockSkewMillis?: number;
}

/** The record in readable form. Pure: `now` is epoch milliseconds. */
export function describeRecord(
  record: IdempotencyRecord,
  now: number,
  { withOutcome = false, clockSkewMillis = DEFAULT_CLOCK_SKEW_MILLIS }: DescribeOptions = {},
): RecordDescription {
  const { id, status, attempt, owner, fingerprint } = record;
  const past = isExpired(record, now);
  const checkpoints = record.status === 'COMPLETED' ? undefined : record.checkpoints;
  return {
    id,
    operation: id.slice(0, Math.max(0, id.lastIndexOf('#'))),
    status,
    state: stateOf(record, now, clockSkewMillis),
    attempt,
    owner,
    ...(record.status === 'IN_PROGRESS' && {
      lease: { until: isoTime(record.leaseUntil), over: isLeaseOver(record, now, clockSkewMillis) },
    }),
    expiration: { at: isoTime(record.expiration * 1000), past },
    ...(fingerprint !== undefined && { fingerprint }),
    ...(record.status === 'COMPLETED' && { outcome: describeOutcome(record.outcome, withOutcome) }),
    ...(checkpoints !== undefined && { checkpoints: Object.keys(checkpoints) }),
  };
}

/** As `decide` sees it: the owner's clock may be behind. */
export function isLeaseOver({ leaseUntil }: { readonly leaseUntil: number }, now: number, skew: number): boolean {
  return now >= leaseUntil + skew;
}

function stateOf(record: IdempotencyRecord, now: number, skew: number): RecordState {
  // An unsettled record stays unknown after its retention, for guards that execute at most once.
  if (record.status === 'IN_PROGRESS') return isLeaseOver(record, now, skew) ? 'outcomeUnknown' : 'running';
  if (isExpired(record, now)) return 'expired';
  return record.status === 'COMPLETED' ? 'completed' : 'released';
}

function describeOutcome(stored: StoredOutcome, withValue: boolean): OutcomeDescription {
  try {
    const outcome = decodeOutcome(stored);
    const json = 'json' in stored ? stored.json : undefined;
    const bytes = json === undefined ? 0 : Buffer.byteLength(json);
    const value = withValue && json !== undefined && { value: JSON.parse(json) as unknown };
    if (outcome.kind === 'returned') return { kind: 'returned', bytes, ...statusOf(outcome.value), ...value };
    return { kind: 'threw', bytes, ...nameOf(outcome.error), ...statusOf(outcome.error), ...value };
  } catch (error) {
    const { advice, message } = error instanceof IdempotencyError ? error : { message: String(error) };
    return { kind: 'notReplayable', reason: advice ?? message };
  }
}

function statusOf(value: unknown): { statusCode?: number } {
  const { statusCode } = (value ?? {}) as { readonly statusCode?: unknown };
  return typeof statusCode === 'number' ? { statusCode } : {};
}

function nameOf(error: unknown): { name?: string; code?: string | number } {
  if (!(error instanceof Error)) return {};
  const { code } = error as { readonly code?: unknown };
  return { name: error.name, ...((typeof code === 'string' || typeof code === 'number') && { code }) };
}

/** Another program may have written a number that is no time. */
export function isoTime(millis: number): string {
  const date = new Date(millis);
  return Number.isNaN(date.getTime()) ? `${millis} ms after 1970` : date.toISOString();
}
