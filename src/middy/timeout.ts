import type { RemainingMillis } from '../core/budget.ts';

/** A timer may fire a little before its time, and the answer that it makes arrives a little later. */
const TIMER_TOLERANCE_MILLIS = 2;

/**
 * Tells Middy's early timeout from the handler's own end.
 *
 * By default Middy throws an error of its own, which is recognised by its name and `cause.package`. A
 * `timeoutEarlyResponse` may answer or throw anything, so that only the time gives it away: Middy lets no handler go
 * on when less than `timeoutEarlyInMillis` is left, so what comes then is not the handler's.
 */
export function middyTimeout(remaining: RemainingMillis, timeoutEarlyInMillis: number): (error?: unknown) => boolean {
  const threshold = timeoutEarlyInMillis + TIMER_TOLERANCE_MILLIS;
  // A context without time (a fake one, in a test) says nothing about the end.
  const timed = remaining !== undefined && timeoutEarlyInMillis > 0 && remaining() > threshold;
  return (error) => isMiddyTimeoutError(error) || (timed && remaining() <= threshold);
}

function isMiddyTimeoutError(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== 'TimeoutError') return false;
  return (error.cause as { package?: unknown } | undefined)?.package === '@middy/core';
}
