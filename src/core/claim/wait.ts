import type { TimeBudget } from '../budget.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import type { IdempotencyRecord } from '../record/record.ts';
import { storeFailure } from '../record/store-failure.ts';
import { type Runtime, TIMED_OUT, within } from '../runtime.ts';

const FIRST_PAUSE_MILLIS = 100;
const MAX_PAUSE_MILLIS = 2000;
const MIN_PAUSE_MILLIS = 10;
/** The last look must be answered, too. */
const LAST_READ_MILLIS = 250;

export interface WaitContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly budget: TimeBudget;
  readonly id: string;
  /** Called once, when the request begins to wait. */
  readonly onBegin: (inFlight: InFlight) => void;
}

interface InFlight {
  /** Of the execution that is waited for. */
  readonly attempt: number;
  /** Milliseconds until its lease is over. */
  readonly retryAfterMillis: number;
}

/**
 * What is there when a request looks again after a pause; `undefined` when it does not wait, or has waited long enough.
 */
export type Look = (inFlight: InFlight) => Promise<{ readonly existing: IdempotencyRecord | undefined } | undefined>;

/**
 * A request that waits for the outcome of another one: it looks at the record again and again, after pauses that grow
 * and are random between nothing and their length ("Exponential backoff and jitter", AWS Architecture Blog: full jitter).
 */
export function createWaiting({ options, runtime, budget, id, onBegin }: WaitContext): Look {
  let deadline: number | undefined;
  let longest = FIRST_PAUSE_MILLIS;

  return async (inFlight) => {
    if (options.waitMillis === 0) return undefined;
    if (deadline === undefined) onBegin(inFlight);
    deadline ??= runtime.now() + Math.min(options.waitMillis, budget.toAnswer() - LAST_READ_MILLIS);
    for (;;) {
      const left = deadline - runtime.now();
      if (left <= 0) return undefined;
      const pause = Math.max(MIN_PAUSE_MILLIS, runtime.random() * longest);
      longest = Math.min(longest * 2, MAX_PAUSE_MILLIS);
      await runtime.delay(Math.min(pause, left, inFlight.retryAfterMillis)).elapsed;
      try {
        const millis = Math.max(deadline - runtime.now(), LAST_READ_MILLIS);
        const existing = await within(runtime, millis, (async () => options.store.read(id))());
        return existing === TIMED_OUT ? undefined : { existing };
      } catch (error) {
        const failure = storeFailure(error);
        // Throttled, say: the execution that is waited for goes on all the same.
        if (failure.retryable !== true) throw failure;
      }
    }
  };
}
