import { expirationAt, type TimeBudget } from '../budget.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { claimTimeout, NO_ANSWER, storeFailure } from '../record/failures.ts';
import type { InProgressRecord } from '../record/record.ts';
import type { Expected, WriteResult } from '../record/store.ts';
import { type Runtime, TIMED_OUT, within } from '../runtime.ts';

/** How long to try to take back a claim that may or may not have reached the store, milliseconds. */
const ABANDON_MILLIS = 500;

/** The writes of one claim. They end while there is time to answer the caller, and take back a claim that nothing uses. */
export interface ClaimWrites {
  /**
   * Writes the record if there is none, or replaces the one that is as `expected`.
   *
   * @throws IdempotencyError `STORE_UNAVAILABLE`
   */
  put(record: InProgressRecord, expected?: Expected): Promise<WriteResult>;
  /** Asks while there is time to answer the caller. @throws IdempotencyError `STORE_UNAVAILABLE` */
  inTime<Of, T>(ask: (of: Of) => Promise<T>, of: Of): Promise<T>;
  /**
   * A claim may be answered late. After the end of its lease, a successor may be executing already.
   *
   * @throws IdempotencyError `STORE_UNAVAILABLE` when its lease has ended; the claim is taken back
   */
  assertLive(record: InProgressRecord): void;
}

interface ClaimWritesContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly budget: TimeBudget;
}

export function claimWrites({ options, runtime, budget }: ClaimWritesContext): ClaimWrites {
  const startedAt = runtime.monotonic();
  const { store } = options;
  return { put, inTime, assertLive };

  async function put(record: InProgressRecord, expected?: Expected): Promise<WriteResult> {
    // A claim whose lease has ended could not execute, and others have seen the end. It must not take over.
    if (left(record) <= 0 || runtime.now() >= record.leaseUntil) throw claimTimeout(NO_ANSWER);
    let sent: Promise<WriteResult> | undefined;
    let answer: WriteResult | typeof TIMED_OUT;
    try {
      answer = await within(runtime, left(record), () => {
        sent = expected ? store.replace(record, expected) : store.insert(record);
        return sent;
      });
    } catch (error) {
      const failure = storeFailure(error);
      // A refusal wrote nothing. A claim whose answer was lost may be there, and would block retries for nothing.
      if (failure.retryable !== false) {
        await within(runtime, Math.min(ABANDON_MILLIS, left(record)), () => abandon(record));
      }
      throw failure;
    }
    if (answer !== TIMED_OUT) return answer;
    sent?.then(
      () => abandon(record),
      () => undefined,
    );
    throw claimTimeout(NO_ANSWER);
  }

  async function inTime<Of, T>(ask: (of: Of) => Promise<T>, of: Of): Promise<T> {
    const answer = await within(runtime, left({ leaseUntil: budget.leaseEnd() }), () => ask(of));
    if (answer === TIMED_OUT) throw claimTimeout(NO_ANSWER);
    return answer;
  }

  function assertLive(record: InProgressRecord): void {
    if (runtime.now() < record.leaseUntil) return;
    void abandon(record);
    throw claimTimeout('answered only after the lease had ended');
  }

  /** Takeovers have leases of their own, but the caller has waited since the first claim. */
  function left({ leaseUntil }: Pick<InProgressRecord, 'leaseUntil'>): number {
    const patience = startedAt + budget.leaseMillis + options.waitMillis - runtime.monotonic();
    return Math.min(budget.left(leaseUntil), patience - budget.reserveMillis);
  }

  /**
   * Takes back what this claim may have written, fenced by its owner. A takeover is released, not removed: the next attempt
   * needs a higher fencing token.
   */
  async function abandon(record: InProgressRecord): Promise<void> {
    const { leaseUntil: _, ...claimed } = record;
    const expected = { owner: record.owner, status: 'IN_PROGRESS' } as const;
    try {
      if (record.attempt === 1) await store.remove(record.id, expected);
      else {
        const expiration = expirationAt(runtime.now(), options);
        await store.replace({ ...claimed, status: 'RELEASED', expiration }, expected);
      }
    } catch {
      // The lease runs out by itself.
    }
  }
}
