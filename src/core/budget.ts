import { type ResolvedProtocolOptions, YEAR_MILLIS } from './options.ts';
import { FOREVER, type Runtime } from './runtime.ts';

/** How much time an invocation has left, milliseconds: Lambda's `getRemainingTimeInMillis`, where there is one. */
export type RemainingMillis = (() => number) | undefined;

/** The time in which the store must answer, so that the caller gets an answer, too. */
export interface TimeBudget {
  /** Milliseconds that a lease is claimed for. */
  readonly leaseMillis: number;
  /** Whether an execution can outlive its lease: a lease that lasts as long as the invocation needs no renewal. */
  readonly renewable: boolean;
  /** Milliseconds before the end of the lease in which the execution's signal fires. */
  readonly reserveMillis: number;
  /** Until when a lease lasts that is claimed now, epoch milliseconds: where the invocation gives it, until its end. */
  leaseEnd(): number;
  /** Milliseconds until the caller must have an answer, whatever it is; infinite where nothing says so. */
  toAnswer(): number;
  /** Milliseconds that the store may take now; zero or less when the time has ended. */
  left(leaseUntil: number): number;
  /** Milliseconds that a settling write may take however little time seems left: better late than never tried. */
  readonly minWriteMillis: number;
  /** Milliseconds for all attempts at a settling write together. */
  readonly maxSettleMillis: number;
}

const DEFAULT_LEASE_MILLIS = 60_000;

/** One tenth of the time is kept for answering the caller, one tenth of a lease for stopping, but never more than this. */
const MAX_RESERVE_MILLIS = 1000;

/** Where an invocation ends by itself, a late answer is worth nothing; elsewhere the caller can wait a little. */
const MIN_WRITE_MILLIS = 250;
const MIN_WRITE_MILLIS_ELSEWHERE = 1000;

/** Outside an invocation, the caller waits no longer than this for the store, however long the lease is. */
const MAX_WAIT_MILLIS = 10_000;

/** Read from the invocation at hand, once it begins: an earlier one's remaining time says nothing about this one. */
export function timeBudget(runtime: Runtime, leaseMillis: number | undefined, remaining: RemainingMillis): TimeBudget {
  const initial = remaining?.() ?? 0;
  const known = Number.isFinite(initial) && initial > 0;
  const millis = leaseMillis ?? (known ? initial : DEFAULT_LEASE_MILLIS);
  const startedAt = runtime.monotonic();
  const end = runtime.now() + initial;
  // Lambda counts by the wall clock, which may step back.
  const untilAnswer = () => Math.min(remaining?.() ?? 0, initial + startedAt - runtime.monotonic()) - reserve;
  const reserveMillis = Math.min(MAX_RESERVE_MILLIS, millis / 10);
  const reserve = known ? Math.min(MAX_RESERVE_MILLIS, initial / 10) : reserveMillis;
  return {
    leaseMillis: millis,
    renewable: !known || leaseMillis !== undefined,
    reserveMillis,
    leaseEnd: () => (known && leaseMillis === undefined ? end : runtime.now() + millis),
    toAnswer: () => (known ? untilAnswer() : FOREVER),
    left: (leaseUntil) => (known ? untilAnswer() : Math.min(leaseUntil - runtime.now() - reserve, MAX_WAIT_MILLIS)),
    minWriteMillis: known ? MIN_WRITE_MILLIS : MIN_WRITE_MILLIS_ELSEWHERE,
    maxSettleMillis: known ? FOREVER : MAX_WAIT_MILLIS,
  };
}

/** How long a record waits until an operator resolves an unknown outcome. */
const UNSETTLED_MILLIS = 10 * YEAR_MILLIS;

/**
 * When a record may vanish, epoch seconds: after its retention, and after a lease (`leaseUntil`, 0 for none) on every clock.
 * With `onExpiredLease: 'throw'`, an unsettled record stays until an operator has resolved it.
 */
export function expirationAt(now: number, options: ResolvedProtocolOptions, leaseUntil = 0): number {
  const { retentionMillis, clockSkewMillis, onExpiredLease } = options;
  const unsettled = leaseUntil > 0 && onExpiredLease === 'throw' ? now + UNSETTLED_MILLIS : 0;
  return Math.ceil(Math.max(leaseUntil + clockSkewMillis, now + retentionMillis, unsettled) / 1000);
}
