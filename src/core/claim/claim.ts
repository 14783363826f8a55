import { IdempotencyError } from '../../errors.ts';
import { expirationAt, type RemainingMillis, type TimeBudget, timeBudget } from '../budget.ts';
import { type RecordCache, recordCache } from '../cache.ts';
import { type EventDetail, emit } from '../events.ts';
import { createExecution, type Execution } from '../execution/execution.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { decodeOutcome, type Outcome } from '../record/outcome.ts';
import type { Checkpoints, IdempotencyRecord, Identity, InProgressRecord, StoredOutcome } from '../record/record.ts';
import { isStoreError } from '../record/store-failure.ts';
import type { Runtime } from '../runtime.ts';
import { ClaimWrites, type Conflict } from './claim-writes.ts';
import { contention, type Decision, decide, refusal, type TakeoverReason } from './decide.ts';
import { createWaiting, type Look } from './wait.ts';

/** Takeovers are races. Whoever loses this many in a row is told to come back. */
const MAX_RACES = 10;

export type Claim =
  | { readonly kind: 'execute'; readonly execution: Execution }
  | { readonly kind: 'replay'; readonly outcome: Outcome };

/** Claims the right to execute, or finds out what became of the request. @throws IdempotencyError */
export type Guard = (identity: Identity, remaining: RemainingMillis) => Promise<Claim>;

export function createGuard(options: ResolvedProtocolOptions, runtime: Runtime): Guard {
  const cache = options.cache === undefined ? undefined : recordCache(options.cache);
  return (identity, remaining) => new Claiming(options, runtime, cache, identity, remaining).run();
}

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
  readonly #requests: ClaimWrites;
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
    this.#requests = new ClaimWrites(options, runtime, this.#budget, this.#startedAt);
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
      return this.#cached() ?? (await this.#rounds());
    } catch (error) {
      if (isStoreError(error)) this.#tell(1, { type: 'claimFailed', error });
      throw error;
    }
  }

  /** What is known without asking the store; nothing shortly before the end of the retention, which others may see over. */
  #cached(): Claim | undefined {
    const record = this.#cache?.find(this.#identity.id);
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
        conflict = await (decision
          ? this.#requests.replace(candidate, decision.expected)
          : this.#requests.insert(candidate));
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
    this.#requests.assertLive(record);
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
      return await this.#requests.insert(record);
    } catch (error) {
      if (error instanceof IdempotencyError && error.retryable === true) unanswered.add(error);
      throw error;
    }
  }

  #tell(attempt: number, detail: EventDetail): void {
    if (this.#options.onEvent === undefined) return;
    const { operation, id } = this.#identity;
    const durationMillis = this.#runtime.now() - this.#startedAt;
    emit(this.#options.onEvent, { operation, id, attempt, durationMillis, ...detail });
  }
}
