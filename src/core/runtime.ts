/** Time and randomness, passed in so that the protocol can be driven by a test or a simulation. */
export interface Runtime {
  /** Wall clock, epoch milliseconds: for leases and the retention, which other hosts compare. It may step. */
  now(): number;
  /** Milliseconds since some moment, by a clock that never steps: for all that this process waits for. */
  monotonic(): number;
  /** A token that no other claim will ever have. */
  randomToken(): string;
  /** A number from 0 up to, but not including, 1: for jitter, nothing that must be unique. */
  random(): number;
  /** Resolves after `millis`, or at once when `cancel` is called. */
  delay(millis: number): Delay;
}

interface Delay {
  readonly elapsed: Promise<void>;
  cancel(): void;
}

export const FOREVER = Number.POSITIVE_INFINITY;
export const TIMED_OUT: unique symbol = Symbol('timed out');

/** The answer, or `TIMED_OUT` after `millis`: a store that hangs must not hang its caller. */
export async function within<T>(
  runtime: Runtime,
  millis: number,
  ask: () => Promise<T>,
): Promise<T | typeof TIMED_OUT> {
  const delay = runtime.delay(Math.max(0, millis));
  try {
    return await Promise.race([ask(), delay.elapsed.then((): typeof TIMED_OUT => TIMED_OUT)]);
  } finally {
    delay.cancel();
  }
}
