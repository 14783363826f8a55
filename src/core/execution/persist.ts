import { NO_ANSWER, revised, storeFailure, storeTimeout } from '../record/failures.ts';
import { FOREVER, TIMED_OUT, within } from '../runtime.ts';
import type { ExecutionContext } from './context.ts';

const FIRST_BACKOFF_MILLIS = 50;
const MAX_BACKOFF_MILLIS = 1000;
const MAX_REFUSALS = 3;

/** How the writes of an execution end in time. */
export interface Persistence {
  /**
   * Tries again while there is time. A write that the store refuses is tried a few times: credentials get renewed.
   * `millis` is for `write`: the time of a later try. The first one has a minimum. `isDoubtful`: an earlier try got no answer,
   * and may still arrive.
   *
   * @throws IdempotencyError with `retryable` false only where no try was written
   */
  persist<T>(verb: Verb<T>, maxTries?: number): Promise<T>;
  /** A write that hangs is given up while there is still time to answer the caller. */
  write<T>(verb: () => Promise<T>, millis?: number): Promise<T>;
}

type Verb<T> = (millis: number | undefined, isDoubtful: boolean) => Promise<T>;

export function createPersistence(
  { runtime, budget }: Pick<ExecutionContext, 'runtime' | 'budget'>,
  leaseUntil: () => number,
): Persistence {
  return { persist, write };

  async function persist<T>(verb: Verb<T>, maxTries = FOREVER): Promise<T> {
    const end = runtime.monotonic() + budget.maxSettleMillis;
    const left = () => Math.min(budget.left(leaseUntil()), end - runtime.monotonic());
    let backoff = FIRST_BACKOFF_MILLIS;
    let isDoubtful = false;
    for (let tries = 1; ; tries++) {
      try {
        return await verb(tries === 1 ? undefined : left(), isDoubtful);
      } catch (error) {
        const failure = storeFailure(error);
        const { retryable, recordRefused } = failure;
        isDoubtful ||= retryable !== false;
        // A record that is refused can be written in another form: no reason to use up all the time.
        const enough = !retryable || recordRefused ? Math.min(maxTries, MAX_REFUSALS) : maxTries;
        if ((recordRefused && !retryable) || tries >= enough || left() <= backoff) {
          // After a try that got no answer, a refusal does not tell what is written.
          throw isDoubtful && retryable === false ? revised(failure, { retryable: undefined }) : failure;
        }
      }
      await runtime.delay(backoff).elapsed;
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MILLIS);
    }
  }

  async function write<T>(
    verb: () => Promise<T>,
    millis = Math.max(budget.left(leaseUntil()), budget.minWriteMillis),
  ): Promise<T> {
    const answer = await within(runtime, millis, verb);
    if (answer === TIMED_OUT) throw storeTimeout(NO_ANSWER);
    return answer;
  }
}
