import type { RemainingMillis } from '../core/budget.ts';
import { requireNumber, YEAR_MILLIS } from '../core/options.ts';

/** A timer may fire a little before its time, and the answer that it makes arrives a little later. */
const TIMER_TOLERANCE_MILLIS = 2;

/** Watches one invocation, from its beginning. */
export interface TimeoutWatch {
  /** Whether Middy would give the handler up before it had begun: the claim took the time that was left. */
  tooLateToStart(): boolean;
  /** Whether less than half of the invocation's time is left. */
  isHalfOver(): boolean;
  /** Whether an answer, or an error, that comes now is Middy's early timeout and not the handler's own end. */
  isTimeout(error?: unknown): boolean;
  /** Whether this is the very error that Middy makes. */
  isMiddyError(error: unknown): boolean;
}

/**
 * Tells Middy's early timeout from the handler's own end.
 *
 * By default Middy throws an error of its own, which has a name and a `cause.package`. A `timeoutEarlyResponse` may answer or
 * throw anything, and so may a handler that listens to Middy's signal. Then only the time tells: Middy lets no handler go on
 * when less than `timeoutEarlyInMillis` is left.
 *
 * @throws TypeError when the time is no number
 */
export function middyTimeout(timeoutEarlyInMillis = 5): (remaining: RemainingMillis) => TimeoutWatch {
  requireNumber('timeoutEarlyInMillis', timeoutEarlyInMillis, YEAR_MILLIS, 0);
  const threshold = timeoutEarlyInMillis + TIMER_TOLERANCE_MILLIS;
  return (remaining) => {
    // A context without time (a fake one, in a test) says nothing about the end.
    const initial = remaining?.() ?? 0;
    const timed = timeoutEarlyInMillis > 0 && initial > 0;
    const isOver = () => timed && (remaining?.() ?? 0) <= threshold;
    return {
      isHalfOver: () => initial > 0 && (remaining?.() ?? 0) < initial / 2,
      tooLateToStart: () => initial > threshold && isOver(),
      isTimeout: (error) => isMiddyError(error) || isOver(),
      isMiddyError,
    };
  };
}

function isMiddyError(error: unknown): boolean {
  try {
    if (!(error instanceof Error) || error.name !== 'TimeoutError') return false;
    return (error.cause as { package?: unknown } | undefined)?.package === '@middy/core';
  } catch {
    // An error of other code may throw when it is read.
    return false;
  }
}
