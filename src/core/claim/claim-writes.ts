import type { IdempotencyError } from '../../errors.ts';
import { expirationAt, type TimeBudget } from '../budget.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import type { IdempotencyRecord, InProgressRecord } from '../record/record.ts';
import type { Expected } from '../record/store.ts';
import { storeFailure } from '../record/store-failure.ts';
import { promised, type Runtime, TIMED_OUT, within } from '../runtime.ts';

/** How long to try to take back a claim that may or may not have reached the store, milliseconds. */
const ABANDON_MILLIS = 500;

/** `existing` is what was in the way, `undefined` where it vanished before it could be seen. */
export type Conflict = { readonly existing: IdempotencyRecord | undefined };

/** The writes of one claim: bounded by the time that its caller has, and taken back when nobody will use them. */
export class ClaimWrites {
  readonly #options: ResolvedProtocolOptions;
  readonly #runtime: Runtime;
  readonly #budget: TimeBudget;
  readonly #startedAt: number;

  constructor(options: ResolvedProtocolOptions, runtime: Runtime, budget: TimeBudget, startedAt: number) {
    this.#options = options;
    this.#runtime = runtime;
    this.#budget = budget;
    this.#startedAt = startedAt;
  }

  /** @throws IdempotencyError `STORE_UNAVAILABLE` */
  async insert(record: InProgressRecord): Promise<Conflict | undefined> {
    const answer = await this.#ask(record, () => this.#options.store.insert(record));
    return answer.won ? undefined : answer;
  }

  /** @throws IdempotencyError `STORE_UNAVAILABLE` */
  async replace(record: InProgressRecord, expected: Expected): Promise<Conflict | undefined> {
    const answer = await this.#ask(record, () => this.#options.store.replace(record, expected));
    return answer.done ? undefined : answer;
  }

  /**
   * A claim may have been answered late: whoever came after the lease's end may be executing already.
   *
   * @throws IdempotencyError `STORE_UNAVAILABLE` when its lease is over; it is taken back
   */
  assertLive(record: InProgressRecord): void {
    if (!this.#isOver(record)) return;
    void this.#abandon(record);
    throw unanswered('answered only after the lease had ended');
  }

  /** Asks while there is time to tell the caller. A claim that nobody will use is taken back. */
  async #ask<T>(record: InProgressRecord, verb: () => Promise<T>): Promise<T> {
    // A claim whose lease is over takes the record from nobody: it could not execute, and others have seen it end.
    if (this.#left(record) <= 0 || this.#isOver(record)) throw unanswered('did not answer while there was time');
    const asked = promised(verb);
    let answer: T | typeof TIMED_OUT;
    try {
      answer = await within(this.#runtime, this.#left(record), asked);
    } catch (error) {
      const failure = storeFailure(error);
      // A refusal wrote nothing. A claim whose answer was lost may be there, and would block retries for nothing.
      const millis = Math.min(ABANDON_MILLIS, this.#left(record));
      if (failure.retryable === true) await within(this.#runtime, millis, this.#abandon(record));
      throw failure;
    }
    if (answer !== TIMED_OUT) return answer;
    asked.then(
      () => this.#abandon(record),
      () => undefined,
    );
    throw unanswered('did not answer while there was time');
  }

  /** Takeovers have leases of their own, but the caller has waited since the first claim. */
  #left({ leaseUntil }: InProgressRecord): number {
    const patience = this.#startedAt + this.#budget.leaseMillis + this.#options.waitMillis;
    return this.#budget.left(Math.min(leaseUntil, patience));
  }

  #isOver({ leaseUntil }: InProgressRecord): boolean {
    return this.#runtime.now() >= leaseUntil;
  }

  /**
   * Takes back what this claim may have written: fenced by its owner, so it can touch nobody else's record. A takeover
   * leaves the count of attempts behind.
   */
  async #abandon(record: InProgressRecord): Promise<void> {
    const { store } = this.#options;
    const { leaseUntil: _, ...claimed } = record;
    const expected = { owner: record.owner, status: 'IN_PROGRESS' } as const;
    try {
      if (record.attempt === 1) await store.remove(record.id, expected);
      else {
        const expiration = expirationAt(this.#runtime.now(), this.#options);
        await store.replace({ ...claimed, status: 'RELEASED', expiration }, expected);
      }
    } catch {
      // The lease runs out by itself.
    }
  }
}

function unanswered(what: string): IdempotencyError {
  return storeFailure(
    new Error(`the store ${what}; nothing was executed`),
    'Look at the latency of the table, and at the timeouts of the client and of the function.',
  );
}
