import { type ResolvedProtocolOptions, YEAR_MILLIS } from './options.ts';

/** How long a record waits for somebody to look into an unknown outcome. */
const UNSETTLED_MILLIS = 10 * YEAR_MILLIS;

/**
 * When a record may vanish, epoch seconds: after its retention, and after a lease (`leaseUntil`, 0 for none) on every
 * clock that may look at it. One that must not be executed twice stays until somebody has looked.
 */
export function expirationAt(now: number, options: ResolvedProtocolOptions, leaseUntil = 0): number {
  const { retentionMillis, clockSkewMillis, onExpiredLease } = options;
  const unsettled = leaseUntil > 0 && onExpiredLease === 'throw' ? now + UNSETTLED_MILLIS : 0;
  return Math.ceil(Math.max(leaseUntil + clockSkewMillis, now + retentionMillis, unsettled) / 1000);
}
