import { IdempotencyError } from '../errors.ts';
import type { TimeBudget } from './budget.ts';
import type { EventDetail } from './events.ts';
import { expirationAt } from './expiration.ts';
import type { Identity } from './identity.ts';
import type { ResolvedProtocolOptions, Settlement } from './options.ts';
import type { Outcome } from './outcome.ts';
import type { InProgressRecord } from './record.ts';
import type { Runtime } from './runtime.ts';
import { createSettling, type Settled } from './settling.ts';
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
   * Makes the lease last at least `millis` from now. Costs one write. Does nothing once the execution has ended.
   * @throws IdempotencyError `LEASE_LOST` when another execution has taken over: stop before the next effect.
   */
  extend(millis: number): Promise<void>;
}

/** A won claim: the right, and the duty, to settle. */
export interface Execution {
  readonly handle: IdempotencyHandle;
  /** Asks the user's policy what becomes of this outcome. A policy that fails never releases. */
  policyFor(outcome: Outcome): Settlement;
  /** Performs it. With `'store'`, `outcome` is what the caller sees. Never throws. May be called again to amend. */
  settle(settlement: Settlement, outcome: Outcome): Promise<Settled>;
  /** Leaves the lease to run out: the work may still be going on. */
  hold(reason: 'policy' | 'timeout'): void;
}

export interface ExecutionContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly budget: TimeBudget;
  readonly record: InProgressRecord;
  readonly tell: (detail: EventDetail) => void;
}

export function createExecution(context: ExecutionContext): Execution {
  const { options, runtime, identity, record, tell } = context;
  const { id, owner, attempt } = record;
  let leaseUntil = record.leaseUntil;
  let ended = false;
  let extending: Promise<void> = Promise.resolve();
  const { write, complete, release } = createSettling(context, () => leaseUntil);

  const handle: IdempotencyHandle = {
    id,
    attempt,
    get leaseUntil() {
      return leaseUntil;
    },
    deriveKey: (name) => identity.deriveKey(name),
    extend,
  };
  return { handle, policyFor, settle, hold };

  function policyFor(outcome: Outcome): Settlement {
    let failure: unknown;
    try {
      const settlement: unknown = options.settle(outcome);
      if (settlement === 'store' || settlement === 'release' || settlement === 'hold') return settlement;
      if (settlement instanceof Promise) settlement.catch(() => undefined);
      failure = new TypeError(`settle must answer 'store', 'release' or 'hold', not ${describe(settlement)}`);
    } catch (error) {
      failure = error;
    }
    tell({ type: 'settlePolicyFailed', error: failure });
    return outcome.kind === 'returned' ? 'store' : 'hold';
  }

  async function settle(settlement: Settlement, outcome: Outcome): Promise<Settled> {
    ended = true;
    switch (settlement) {
      case 'store':
        return complete(outcome);
      case 'release':
        return release();
      case 'hold':
        hold('policy');
        return { kind: 'done' };
    }
  }

  function hold(reason: 'policy' | 'timeout'): void {
    tell({ type: 'held', reason });
  }

  async function extend(millis: number): Promise<void> {
    if (typeof millis !== 'number' || !Number.isFinite(millis) || millis <= 0) {
      throw new TypeError(`extend(millis): millis must be a finite number above 0, not ${describe(millis)}`);
    }
    // One at a time: of two that overlap, the shorter could be written last.
    const turn = extending.then(() => (ended ? undefined : extendTo(millis)));
    extending = turn.catch(() => undefined);
    return turn;
  }

  async function extendTo(millis: number): Promise<void> {
    const now = runtime.now();
    const until = Math.max(leaseUntil, now + millis);
    const extended = { ...record, leaseUntil: until, expiration: expirationAt(now, options, until) };
    for (let known = leaseUntil; known < until; ) {
      // Without the lease that is expected, an extension that was given up and arrives late would undo this one.
      const expected = { owner, status: 'IN_PROGRESS', leaseUntil: known } as const;
      const answer = await write(() => options.store.replace(extended, expected));
      if (answer.done) break;
      const { existing } = answer;
      if (existing?.owner !== owner) {
        tell({ type: 'leaseLost' });
        throw leaseLostError();
      }
      if (existing.status !== 'IN_PROGRESS') return;
      if (existing.leaseUntil <= known) throw storeFailure(new Error('the store contradicts itself'));
      // This extension or an earlier one was written although its answer never came.
      known = existing.leaseUntil;
      leaseUntil = Math.max(leaseUntil, known);
    }
    leaseUntil = Math.max(leaseUntil, until);
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

function describe(value: unknown): string {
  return typeof value === 'string'
    ? `'${value}'`
    : typeof value === 'object'
      ? Object.prototype.toString.call(value)
      : String(value);
}
