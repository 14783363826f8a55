import { IdempotencyError } from '../errors.ts';
import { type RemainingMillis, type TimeBudget, timeBudget } from './budget.ts';
import { type RecordCache, recordCache } from './cache.ts';
import { type Decision, decide, type TakeoverReason } from './decide.ts';
import { type EventDetail, emit } from './events.ts';
import { createExecution, type Execution } from './execution.ts';
import { expirationAt } from './expiration.ts';
import type { Identity } from './identity.ts';
import type { ResolvedProtocolOptions } from './options.ts';
import { decodeOutcome, type Outcome } from './outcome.ts';
import type { Checkpoints, IdempotencyRecord, InProgressRecord, StoredOutcome } from './record.ts';
import { contention, refusal } from './refusal.ts';
import { promised, type Runtime, TIMED_OUT, within } from './runtime.ts';
import type { Expected } from './store.ts';
import { isStoreError, storeFailure } from './store-failure.ts';
import { createWaiting, type Look } from './waiting.ts';

/** Takeovers are races. Whoever loses this many in a row is told to come back. */
const MAX_RACES = 10;

/** How long to try to take back a claim that may or may not have reached the store, milliseconds. */
const ABANDON_MILLIS = 500;

export type Claim =
  | { readonly kind: 'execute'; readonly execution: Execution }
  | { readonly kind: 'replay'; readonly outcome: Outcome };

/** Claims the right to execute, or finds out what became of the request. @throws IdempotencyError */
export type Guard = (identity: Identity, remaining: RemainingMillis) => Promise<Claim>;

export function createGuard(options: ResolvedProtocolOptions, runtime: Runtime): Guard {
  const cache = options.cache === undefined ? undefined : recordCache(options.cache);
  return (identity, remaining) => new Claiming(options, runtime, cache, identity, remaining).run();
}

/** `existing` is what was in the way, `undefined` where it vanished before it could be seen. */
type Conflict = { readonly existing: IdempotencyRecord | undefined };

const unanswered = new WeakSet<object>();

/** Whether a claim failed because the store could not even be asked: nothing is known of the request. */
export function isUnanswered(error: unknown): boolean {
  return typeof error === 'object' && error !== null && unanswered.has(error);
}

/** One request's way to a claim. */
class Claiming {
  readonly #options: ResolvedProtocolOptions;
  readonly #runtime: Runtime;
  readonly #cache: RecordCache | undefined;
  readonly #identity: Identity;
  readonly #startedAt: number;
  readonly #budget: TimeBudget;
  readonly #owner: string;
  #look: Look | undefined;

  constructor(
    options: ResolvedProtocolOptions,
    runtime: Runtime,
    cache: RecordCache | undefined,
    identity: Identity,
    remaining: RemainingMillis,
  ) {
    this.#options = options;
    this.#runtime = runtime;
    this.#cache = cache;
    this.#identity = identity;
    this.#startedAt = runtime.now();
    this.#budget = timeBudget(runtime, options.leaseMillis, remaining);
    this.#owner = runtime.randomToken();
  }

  /** Only a request that meets another one waits. */
  get #waiting(): Look {
    this.#look ??= createWaiting({
      options: this.#options,
      runtime: this.#runtime,
      budget: this.#budget,
      id: this.#identity.id,
      onBegin: ({ attempt, retryAfterMillis }) => this.#tell(attempt, { type: 'waiting', retryAfterMillis }),
    });
    return this.#look;
  }

  /** A claim that is made now: a request may have waited before it takes over. */
  #candidate(attempt = 1, checkpoints?: Checkpoints): InProgressRecord {
    const { id, fingerprint } = this.#identity;
    const leaseUntil = this.#budget.leaseEnd();
    return {
      id,
      status: 'IN_PROGRESS',
      owner: this.#owner,
      attempt,
      leaseUntil,
      expiration: expirationAt(this.#runtime.now(), this.#options, leaseUntil),
      ...(fingerprint !== undefined && { fingerprint }),
      ...(checkpoints !== undefined && { checkpoints }),
    };
  }

  async run(): Promise<Claim> {
    try {
      return (await this.#cached()) ?? (await this.#rounds());
    } catch (error) {
      if (isStoreError(error)) this.#tell(1, { type: 'claimFailed', error });
      throw error;
    }
  }

  /** What is known without asking the store; nothing shortly before the end of the retention, which others may see over. */
  async #cached(): Promise<Claim | undefined> {
    const record = await this.#cache?.find(this.#identity.id);
    if (record === undefined) return undefined;
    const now = this.#runtime.now() + this.#options.clockSkewMillis;
    const decision = decide(record, this.#candidate(), this.#options, now);
    if (decision.kind === 'won' || decision.kind === 'takeover') return undefined;
    return this.#yield(decision, record.attempt, record, true);
  }

  async #rounds(): Promise<Claim> {
    let candidate = this.#candidate();
    let takenOver: TakeoverReason | undefined;
    let conflict = await this.#insertFirst(candidate);
    let races = 0;
    while (conflict !== undefined) {
      const { existing }: Conflict = conflict;
      const decision: Decision | undefined =
        existing && decide(existing, candidate, this.#options, this.#runtime.now());
      if (decision === undefined || decision.kind === 'takeover') {
        if (races++ === MAX_RACES) throw this.#contention(candidate.attempt);
        candidate = this.#candidate(decision?.attempt, decision?.checkpoints);
        takenOver = decision?.reason;
        conflict = await (decision ? this.#replace(candidate, decision.expected) : this.#insert(candidate));
      } else if (decision.kind === 'won') {
        candidate = decision.record;
        conflict = undefined;
      } else {
        const attempt = existing?.attempt ?? candidate.attempt;
        conflict = decision.kind === 'inFlight' ? await this.#waiting({ ...decision, attempt }) : undefined;
        if (conflict === undefined) return this.#yield(decision, attempt, existing);
      }
    }
    return this.#win(candidate, takenOver);
  }

  #contention(attempt: number): IdempotencyError {
    const retryAfterMillis = this.#options.clockSkewMillis;
    this.#tell(attempt, { type: 'inFlight', retryAfterMillis });
    return contention(MAX_RACES, retryAfterMillis);
  }

  #win(record: InProgressRecord, takenOver: TakeoverReason | undefined): Claim {
    // The claim may have been answered late: whoever came after the lease's end may be executing already.
    if (this.#isOver(record)) {
      void this.#abandon(record);
      throw this.#unavailable('answered only after the lease had ended');
    }
    this.#tell(
      record.attempt,
      takenOver === undefined ? { type: 'claimed' } : { type: 'takenOver', reason: takenOver },
    );
    const execution = createExecution({
      options: this.#options,
      runtime: this.#runtime,
      identity: this.#identity,
      budget: this.#budget,
      record,
      cache: this.#cache,
      tell: (detail) => this.#tell(record.attempt, detail),
    });
    return { kind: 'execute', execution };
  }

  /** Somebody else executes or has executed: nothing is written. */
  #yield(
    decision: Exclude<Decision, { kind: 'won' | 'takeover' }>,
    attempt: number,
    existing: IdempotencyRecord | undefined,
    fromCache = false,
  ): Claim {
    if (decision.kind === 'replay') {
      const outcome = this.#replay(decision.outcome, attempt, fromCache);
      if (existing?.status === 'COMPLETED') this.#cache?.keep(existing);
      return { kind: 'replay', outcome };
    }
    const { kind: type, ...details } = decision;
    this.#tell(attempt, { type, ...details } as EventDetail);
    throw refusal(decision, this.#identity.id);
  }

  #replay(stored: StoredOutcome, attempt: number, fromCache: boolean): Outcome {
    try {
      const outcome = decodeOutcome(stored);
      this.#tell(attempt, { type: 'replayed', ...(fromCache && { fromCache }) });
      return outcome;
    } catch (error) {
      if (!isStoreError(error)) this.#tell(attempt, { type: 'notReplayable' });
      throw error;
    }
  }

  async #insertFirst(record: InProgressRecord): Promise<Conflict | undefined> {
    try {
      return await this.#insert(record);
    } catch (error) {
      if (error instanceof IdempotencyError && error.retryable === true) unanswered.add(error);
      throw error;
    }
  }

  async #insert(record: InProgressRecord): Promise<Conflict | undefined> {
    const answer = await this.#ask(record, () => this.#options.store.insert(record));
    return answer.won ? undefined : answer;
  }

  async #replace(record: InProgressRecord, expected: Expected): Promise<Conflict | undefined> {
    const answer = await this.#ask(record, () => this.#options.store.replace(record, expected));
    return answer.done ? undefined : answer;
  }

  /** Asks while there is time to tell the caller. A claim that nobody will use is taken back. */
  async #ask<T>(record: InProgressRecord, verb: () => Promise<T>): Promise<T> {
    // A claim whose lease is over takes the record from nobody: it could not execute, and others have seen it end.
    if (this.#left(record) <= 0 || this.#isOver(record)) {
      throw this.#unavailable('did not answer while there was time');
    }
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
    throw this.#unavailable('did not answer while there was time');
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

  #unavailable(what: string): IdempotencyError {
    return storeFailure(
      new Error(`the store ${what}; nothing was executed`),
      'Look at the latency of the table, and at the timeouts of the client and of the function.',
    );
  }

  #tell(attempt: number, detail: EventDetail): void {
    if (this.#options.onEvent === undefined) return;
    const { operation, id } = this.#identity;
    const durationMillis = this.#runtime.now() - this.#startedAt;
    emit(this.#options.onEvent, { operation, id, attempt, durationMillis, ...detail });
  }
}
