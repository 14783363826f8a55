import { IdempotencyError } from '../errors.ts';
import type { TimeBudget } from './budget.ts';
import type { EventDetail } from './events.ts';
import type { Identity } from './identity.ts';
import type { ResolvedProtocolOptions, Settlement } from './options.ts';
import { decodeOutcome, encodeOutcome, notReplayable, type Outcome } from './outcome.ts';
import { type CompletedRecord, type IdempotencyRecord, type InProgressRecord, isExpired } from './record.ts';
import { type Runtime, TIMED_OUT, within } from './runtime.ts';
import type { ConditionalResult } from './store.ts';
import { storeFailure } from './store-failure.ts';

/** What the guarded code sees of its own execution. */
export interface IdempotencyHandle {
  /** The record id. */
  readonly id: string;
  /** 1 for the first claim, one more at every takeover: the fencing number that downstream systems can compare. */
  readonly attempt: number;
  /** Until when this execution alone may run. Epoch milliseconds; later after `extend`. */
  readonly leaseUntil: number;
  /**
   * A UUID (version 8, RFC 9562) that is the same on every attempt of this request and differs for every name: for a
   * downstream `Idempotency-Key` or `ClientToken`.
   */
  deriveKey(name: string): string;
  /**
   * Makes the lease last at least `millis` from now. Costs one write.
   * @throws IdempotencyError `LEASE_LOST` when another execution has taken over: stop before the next effect.
   */
  extend(millis: number): Promise<void>;
}

/** What became of an attempt to settle. */
export type Settled =
  | { readonly kind: 'done' }
  /** Another execution took over and has completed: its outcome is the request's. */
  | { readonly kind: 'superseded'; readonly outcome: Outcome }
  /** Another execution took over, and its outcome is not known yet, or is none of this request's. */
  | { readonly kind: 'leaseLost' };

/** A won claim: the right, and the duty, to settle. */
export interface Execution {
  readonly handle: IdempotencyHandle;
  /** Asks the user's policy what becomes of this outcome. A policy that fails never releases. */
  policyFor(outcome: Outcome): Settlement;
  /** Performs it. With `'store'`, `outcome` is what the caller sees. Never throws. May be called again to amend. */
  settle(settlement: Settlement, outcome: Outcome): Promise<Settled>;
  /** Leaves the lease to run out: the work may still be going on. */
  hold(): void;
}

interface ExecutionContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly budget: TimeBudget;
  readonly record: InProgressRecord;
  readonly tell: (detail: EventDetail) => void;
}

const FIRST_BACKOFF_MILLIS = 50;
const MAX_BACKOFF_MILLIS = 1000;

/** Epoch seconds: a record outlives its retention, and a lease, with every clock that may look at it. */
export function expirationAt(
  now: number,
  { retentionMillis, clockSkewMillis }: Pick<ResolvedProtocolOptions, 'retentionMillis' | 'clockSkewMillis'>,
  leaseUntil = 0,
): number {
  return Math.ceil(Math.max(leaseUntil + clockSkewMillis, now + retentionMillis) / 1000);
}

export function createExecution(context: ExecutionContext): Execution {
  const { options, runtime, identity, tell } = context;
  const { store } = options;
  const { id, owner, attempt } = context.record;
  let status: 'IN_PROGRESS' | 'COMPLETED' = 'IN_PROGRESS';
  let leaseUntil = context.record.leaseUntil;
  let extending: Promise<void> = Promise.resolve();

  const handle: IdempotencyHandle = {
    id,
    attempt,
    get leaseUntil() {
      return leaseUntil;
    },
    deriveKey: (name) => identity.deriveKey(name),
    extend,
  };
  return { handle, policyFor, settle, hold: () => tell({ type: 'held', reason: 'timeout' }) };

  function policyFor(outcome: Outcome): Settlement {
    let failure: unknown;
    try {
      const settlement = options.settle(outcome);
      if (settlement === 'store' || settlement === 'release' || settlement === 'hold') return settlement;
      failure = new TypeError(`settle must answer 'store', 'release' or 'hold', not ${String(settlement)}`);
    } catch (error) {
      failure = error;
    }
    tell({ type: 'settlePolicyFailed', error: failure });
    return outcome.kind === 'returned' ? 'store' : 'hold';
  }

  async function settle(settlement: Settlement, outcome: Outcome): Promise<Settled> {
    switch (settlement) {
      case 'store':
        return complete(outcome);
      case 'release':
        return release();
      case 'hold':
        tell({ type: 'held', reason: 'policy' });
        return { kind: 'done' };
    }
  }

  async function complete(outcome: Outcome): Promise<Settled> {
    const { fingerprint } = context.record;
    const expected = { owner, status };
    let completed: CompletedRecord = {
      id,
      status: 'COMPLETED',
      owner,
      attempt,
      expiration: expirationAt(runtime.now(), options),
      outcome: encodeOutcome(outcome, store.maxOutcomeBytes),
      ...(fingerprint !== undefined && { fingerprint }),
    };
    for (let backoff = FIRST_BACKOFF_MILLIS; ; backoff = Math.min(backoff * 2, MAX_BACKOFF_MILLIS)) {
      try {
        const answer = await write(() => store.replace(completed, expected));
        return settledBy(answer.done ? answer : await restore(answer, completed), completed);
      } catch (error) {
        const failure = storeFailure(error);
        const { retryable = false } = failure;
        if (!retryable && completed.outcome.type !== 'NOT_REPLAYABLE') {
          // The store refuses this very record (its size, say): that the work is done can still be said.
          completed = { ...completed, outcome: notReplayable('the store refused it') };
        } else if (retryable && timeLeft() > backoff) {
          await runtime.delay(backoff).elapsed;
        } else {
          tell({ type: 'completionFailed', error: failure });
          return { kind: 'done' };
        }
      }
    }
  }

  /**
   * The record is gone: DynamoDB's TTL, an operator, or a successor that released it. The work is done all the same,
   * and nobody holds the record, so it is put back: otherwise a retry would do the work again.
   */
  async function restore(answer: ConditionalResult & { done: false }, completed: CompletedRecord) {
    if (answer.existing !== undefined) return answer;
    const put = await write(() => store.insert(completed));
    return put.won ? ({ done: true } as const) : ({ done: false, existing: put.existing } as const);
  }

  function settledBy(answer: ConditionalResult, completed: CompletedRecord): Settled {
    const existing = answer.done ? completed : answer.existing;
    if (existing?.owner === owner && existing.status === 'COMPLETED') {
      status = 'COMPLETED';
      const { outcome } = existing;
      tell({ type: 'completed', ...(outcome.type === 'NOT_REPLAYABLE' && { notReplayable: outcome.reason }) });
      return { kind: 'done' };
    }
    return lost(existing);
  }

  function lost(existing: IdempotencyRecord | undefined): Settled {
    tell({ type: 'leaseLost' });
    if (
      existing?.status !== 'COMPLETED' ||
      existing.fingerprint !== context.record.fingerprint ||
      isExpired(existing, runtime.now())
    ) {
      return { kind: 'leaseLost' };
    }
    try {
      return { kind: 'superseded', outcome: decodeOutcome(existing.outcome) };
    } catch (error) {
      return { kind: 'superseded', outcome: { kind: 'threw', error } };
    }
  }

  async function release(): Promise<Settled> {
    try {
      const answer = await write(() => store.remove(id, { owner, status: 'IN_PROGRESS' }));
      // Gone already counts as released: the first answer may have been lost.
      tell({ type: answer.done || answer.existing === undefined ? 'released' : 'leaseLost' });
    } catch (error) {
      tell({ type: 'releaseFailed', error: storeFailure(error) });
    }
    return { kind: 'done' };
  }

  async function extend(millis: number): Promise<void> {
    if (!Number.isFinite(millis) || millis <= 0) {
      throw new TypeError(`extend(millis): millis must be a finite number above 0, not ${String(millis)}`);
    }
    // One at a time: of two that overlap, the shorter could be written last.
    const turn = extending.then(() => extendTo(millis));
    extending = turn.catch(() => undefined);
    return turn;
  }

  async function extendTo(millis: number): Promise<void> {
    const now = runtime.now();
    const until = Math.max(leaseUntil, now + millis);
    const extended = { ...context.record, leaseUntil: until, expiration: expirationAt(now, options, until) };
    const answer = await write(() => store.replace(extended, { owner, status: 'IN_PROGRESS' }));
    if (!answer.done) {
      if (answer.existing?.owner === owner) throw new Error('extend(millis): this execution is settled already');
      tell({ type: 'leaseLost' });
      throw leaseLostError();
    }
    leaseUntil = until;
  }

  function timeLeft(): number {
    return context.budget.left(leaseUntil);
  }

  /** A write that hangs is given up while there is still time to answer the caller. */
  async function write<T>(verb: () => Promise<T>): Promise<T> {
    const answer = await within(runtime, Math.max(timeLeft(), context.budget.minWriteMillis), (async () => verb())());
    if (answer === TIMED_OUT) throw storeFailure(new Error('the store did not answer while there was time'));
    return answer;
  }
}

/** For the caller of an execution that came too late: the request is in somebody else's hands. */
export function leaseLostError(): IdempotencyError {
  return new IdempotencyError(
    'LEASE_LOST',
    'This request took too long and was given to another execution. Retry with the same key for its outcome.',
    { advice: "Make the lease (leaseMillis, or the function's timeout) longer than the longest execution." },
  );
}
