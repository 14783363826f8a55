import { storeFailure } from '../record/store-failure.ts';
import { promised, TIMED_OUT, within } from '../runtime.ts';
import type { ExecutionContext } from './context.ts';

const FIRST_BACKOFF_MILLIS = 50;
const MAX_BACKOFF_MILLIS = 1000;
const MAX_REFUSALS = 3;

interface Limits {
  readonly millis: number;
  readonly tries: number;
}

/** How the writes of an execution end in time. */
export interface Persistence {
  /**
   * Tries again while there is time. What the store refuses for good is tried a few times: credentials get renewed.
   * `least` is for `write`: the first try has a minimum of time.
   */
  persist<T>(verb: (least: number | undefined) => Promise<T>, limits?: Partial<Limits>): Promise<T>;
  /** A write that hangs is given up while there is still time to answer the caller. */
  write<T>(verb: () => Promise<T>, least?: number): Promise<T>;
}

export function createPersistence({ runtime, budget }: ExecutionContext, leaseUntil: () => number): Persistence {
  return { persist, write };

  async function persist<T>(
    verb: (least: number | undefined) => Promise<T>,
    { millis = budget.maxSettleMillis, tries: maxTries = Number.POSITIVE_INFINITY }: Partial<Limits> = {},
  ): Promise<T> {
    const startedAt = runtime.now();
    let backoff = FIRST_BACKOFF_MILLIS;
    for (let tries = 1; ; tries++) {
      try {
        return await verb(tries === 1 ? undefined : 0);
      } catch (error) {
        const failure = storeFailure(error);
        const left = Math.min(budget.left(leaseUntil()), startedAt + millis - runtime.now());
        const mayPass = failure.retryable === true;
        // A record that is refused can be written in another form: no reason to use up all the time.
        const isRefusal = !mayPass || failure.recordRefused === true;
        const enough = isRefusal ? Math.min(maxTries, MAX_REFUSALS) : maxTries;
        if ((failure.recordRefused === true && !mayPass) || tries >= enough || left <= backoff) throw failure;
      }
      await runtime.delay(backoff).elapsed;
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MILLIS);
    }
  }

  async function write<T>(verb: () => Promise<T>, least = budget.minWriteMillis): Promise<T> {
    const millis = Math.max(budget.left(leaseUntil()), least);
    const answer = await within(runtime, millis, promised(verb));
    if (answer === TIMED_OUT) throw storeFailure(new Error('the store did not answer while there was time'));
    return answer;
  }
}
