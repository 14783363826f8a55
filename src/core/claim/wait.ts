import type { TimeBudget } from '../budget.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { storeFailure } from '../record/failures.ts';
import type { IdempotencyRecord, Identity } from '../record/record.ts';
import { type Runtime, TIMED_OUT, within } from '../runtime.ts';

const FIRST_PAUSE_MILLIS = 100;
const MAX_PAUSE_MILLIS = 2000;
const MIN_PAUSE_MILLIS = 10;
/** Kept for the last read, so that it can be answered. */
const LAST_READ_MILLIS = 250;

interface WaitContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly budget: TimeBudget;
  readonly identity: Identity;
}

export interface InFlight {
  /** The attempt number of the running execution. */
  readonly attempt: number;
  /** Milliseconds after which its outcome may be there. */
  readonly retryAfterMillis: number;
}

/** The record after a pause; `undefined` when the request does not wait, or has waited long enough. */
export type Wait = (inFlight: InFlight) => Promise<{ readonly existing: IdempotencyRecord | undefined } | undefined>;

/**
 * A request that waits for the outcome of another one. It reads the record after pauses that grow. Each has a random length
 * up to its limit (full jitter: "Exponential backoff and jitter", AWS Architecture Blog).
 *
 * @param onBegin called once, when the request begins to wait
 */
export function createWait(
  { options, runtime, budget, identity }: WaitContext,
  onBegin: (inFlight: InFlight) => void,
): Wait {
  let deadline: number | undefined;
  let longest = FIRST_PAUSE_MILLIS;

  return async (inFlight) => {
    if (options.waitMillis === 0) return undefined;
    if (deadline === undefined) onBegin(inFlight);
    deadline ??= runtime.monotonic() + Math.min(options.waitMillis, budget.toAnswer() - LAST_READ_MILLIS);
    for (;;) {
      const left = deadline - runtime.monotonic();
      if (left <= 0) return undefined;
      const pause = Math.max(MIN_PAUSE_MILLIS, runtime.random() * longest);
      longest = Math.min(longest * 2, MAX_PAUSE_MILLIS);
      await runtime.delay(Math.min(pause, left, inFlight.retryAfterMillis)).elapsed;
      try {
        const millis = Math.max(deadline - runtime.monotonic(), LAST_READ_MILLIS);
        const existing = await within(runtime, millis, async () => options.store.read(identity.id));
        return existing === TIMED_OUT ? undefined : { existing };
      } catch (error) {
        const failure = storeFailure(error);
        // The other execution goes on although this read was throttled, for example.
        if (!failure.retryable) throw failure;
      }
    }
  };
}
