import { type IdempotencyError, shown } from '../../errors.ts';
import type { EventDetail } from '../events.ts';
import { type ResolvedProtocolOptions, type Settlement, YEAR_MILLIS } from '../options.ts';
import type { Outcome } from '../record/outcome.ts';
import { storeFailure, unfinished } from '../record/store-failure.ts';
import { TIMED_OUT, within } from '../runtime.ts';
import type { ExecutionContext } from './context.ts';
import { ExecutionHandle, type IdempotencyHandle } from './handle.ts';
import { holdRecord, type Refused, type Settled } from './held-record.ts';
import { endedError, leaseLostError } from './lease-errors.ts';
import { leaseTimers } from './lease-timers.ts';
import { createStep } from './step.ts';

/** A won claim: the right, and the duty, to settle. */
export interface Execution {
  readonly handle: IdempotencyHandle;
  /** Asks the user's policy what becomes of this outcome. A policy that fails never releases. */
  policyFor(outcome: Outcome): Settlement;
  /**
   * Performs it. With `'store'`, `outcome` is what the caller sees. Never throws. May be called again to amend, unless it
   * was said to be `final`.
   */
  settle(settlement: Settlement, outcome: Outcome, final?: boolean): Promise<Settled>;
  /** The outcome that was stored last has turned out to be final. */
  confirm(): void;
  /** Leaves the lease to run out: the work may still be going on. */
  hold(reason: 'policy' | 'timeout'): void;
  /** Makes the lease last while the work does, from now on until it is settled. */
  renew(): void;
  /** Whether the guarded code itself has stored its response: no failure after that changes the record. */
  isCompleted(): boolean;
  /** Resolves when what the guarded code has begun to store is stored, or is not. */
  completionsEnd(): Promise<unknown>;
  /** What is stored of every outcome from now on. */
  storeAs(form: (outcome: Outcome) => Outcome): void;
}

/**
 * Whether the guarded code itself has stored its outcome, before its end. `'storing'`: it is being written;
 * `'unknown'`: there was no answer.
 */
type Stored = 'no' | 'storing' | 'yes' | 'unknown';

export function createExecution(context: ExecutionContext): Execution {
  const { options, runtime, identity, budget, record, tell } = context;
  const held = holdRecord(context);
  const timers = leaseTimers({ runtime, budget, record: held, onLost: lost });
  const runStep = createStep({ record: held, tell, assertMayGoOn, isCompleted, lost });
  const steps = pending();
  const completions = pending();
  let form = (outcome: Outcome) => outcome;
  let stored: Stored = 'no';
  let ended: 'no' | 'settled' | 'timed out' = 'no';
  let isLost = false;

  const handle = new ExecutionHandle(
    {
      id: record.id,
      attempt: record.attempt,
      deriveKey: (name) => identity.deriveKey(name),
      extend,
      step: (name, fn) => steps.track(runStep(name, fn)),
      complete: (response) => completions.track(complete(response)),
      transact: (items, response) => completions.track(transact(items, response)),
    },
    { leaseUntil: held.leaseUntil, signal: timers.signal },
  );
  return {
    handle,
    policyFor: judge,
    settle,
    confirm: held.confirm,
    hold,
    renew: timers.renew,
    isCompleted,
    completionsEnd: completions.end,
    storeAs(given) {
      form = given;
    },
  };

  // What the guarded code does with its handle.

  async function extend(millis: number): Promise<void> {
    if (typeof millis !== 'number' || !(millis > 0 && millis <= YEAR_MILLIS)) {
      throw new TypeError(
        `extend(millis): millis must be a finite number above 0 and at most ${YEAR_MILLIS}, not ${shown(millis)}`,
      );
    }
    // Its caller has been told that time is over, and the handler goes on: nothing keeps its next effect from being the second.
    if (ended === 'timed out' && !isCompleted()) throw endedError();
    if (ended !== 'no' || isCompleted()) return;
    if ((await held.extend(millis)) === 'lost' && ended === 'no') throw lost();
  }

  async function complete(response: unknown): Promise<void> {
    assertMayGoOn();
    await store(() => held.complete(form(returned(response)), { final: false, ended: false }));
  }

  async function transact(items: readonly never[], response: unknown): Promise<void> {
    if (options.store.transact === undefined) {
      throw new TypeError('transact(items, response): this store has no transactions; dynamoDBStore has');
    }
    if (!Array.isArray(items) || items.length === 0) {
      throw new TypeError('transact(items, response): items must be a list of writes; without any, use complete');
    }
    assertMayGoOn();
    if (stored !== 'no') {
      // The record would not tell whether these items were written or only an outcome before them.
      throw new TypeError('transact(items, response): the outcome is stored already, or may be');
    }
    const settled = await store(() => held.transact(form(returned(response)), items));
    if (settled.kind === 'refused') throw settled.error;
  }

  async function store<T extends Settled | Refused>(write: () => Promise<T>): Promise<T> {
    const before = stored;
    if (stored === 'no') stored = 'storing';
    let settled: T;
    try {
      settled = await write();
    } catch (error) {
      const failure = storeFailure(error);
      // A refusal has certainly written nothing. Whether anything else has, the record knows.
      if (before !== 'yes') stored = failure.retryable === false ? before : 'unknown';
      throw unfinished(failure);
    }
    if (settled.kind !== 'done' && settled.kind !== 'refused') throw lose();
    stored = settled.kind === 'done' ? 'yes' : 'no';
    if (isCompleted()) timers.stop();
    return settled;
  }

  function isCompleted(): boolean {
    return stored === 'yes';
  }

  /** @throws IdempotencyError when no effect may begin any more */
  function assertMayGoOn(): void {
    if (ended !== 'no') throw endedError();
    if (!isCompleted() && (isLost || runtime.now() >= held.leaseUntil())) throw leaseLostError();
  }

  // How it ends.

  function judge(outcome: Outcome): Settlement {
    if (isCompleted()) return outcome.kind === 'returned' ? 'store' : 'hold';
    return settlementOf(options, outcome, tell);
  }

  async function settle(settlement: Settlement, outcome: Outcome, final = true): Promise<Settled> {
    end('settled');
    try {
      return await perform(settlement, outcome, final);
    } finally {
      timers.stop();
    }
  }

  async function perform(settlement: Settlement, outcome: Outcome, final: boolean): Promise<Settled> {
    // A completion that the handler did not wait for must not meet a release.
    await completions.end();
    if (isCompleted() && (settlement !== 'store' || outcome.kind === 'threw')) {
      if (final) held.confirm();
      return { kind: 'done' };
    }
    if (settlement === 'store') return completeAtEnd(form(outcome), final);
    if (settlement === 'release') return letGo();
    hold('policy');
    return { kind: 'done' };
  }

  /** Whatever becomes of the record, the caller gets the outcome. */
  async function completeAtEnd(outcome: Outcome, final: boolean): Promise<Settled> {
    try {
      return await held.complete(outcome, { final, ended: true });
    } catch (error) {
      tell({ type: 'completionFailed', error });
      return { kind: 'done' };
    }
  }

  /** A step that goes on after the handler has failed is part of this execution: no other one may begin before its end. */
  async function letGo(): Promise<Settled> {
    if (isLost) return { kind: 'leaseLost' };
    const left = budget.left(held.leaseUntil());
    const isOver = steps.isEmpty() || (await within(runtime, left, steps.end())) !== TIMED_OUT;
    // What the signal has stopped may have happened.
    if (isOver && !timers.hasFired()) return held.release();
    hold('timeout');
    return { kind: 'done' };
  }

  function hold(reason: 'policy' | 'timeout'): void {
    end(reason === 'timeout' ? 'timed out' : 'settled');
    if (reason === 'timeout') timers.fire(endedError());
    timers.stop();
    if (!isCompleted()) tell({ type: 'held', reason });
  }

  function end(how: 'settled' | 'timed out'): void {
    if (ended !== 'timed out') ended = how;
  }

  function lost(): IdempotencyError {
    if (!isLost) tell({ type: 'leaseLost' });
    return lose();
  }

  /** Whoever calls it has told. */
  function lose(): IdempotencyError {
    isLost = true;
    const error = leaseLostError();
    timers.fire(error);
    timers.stop();
    return error;
  }
}

/** Asks the user's policy what becomes of this outcome. One that fails never releases. */
export function settlementOf(
  { settle }: Pick<ResolvedProtocolOptions, 'settle'>,
  outcome: Outcome,
  tell: (detail: EventDetail) => void,
): Settlement {
  let failure: unknown;
  try {
    const settlement: unknown = settle(outcome);
    if (settlement === 'store' || settlement === 'release' || settlement === 'hold') return settlement;
    if (settlement instanceof Promise) settlement.catch(() => undefined);
    failure = new TypeError(`settle must answer 'store', 'release' or 'hold', not ${described(settlement)}`);
  } catch (error) {
    failure = error;
  }
  tell({ type: 'settlePolicyFailed', error: failure });
  return outcome.kind === 'returned' ? 'store' : 'hold';
}

function described(value: unknown): string {
  return typeof value === 'object' ? Object.prototype.toString.call(value) : shown(value);
}

/** What has begun and has not ended yet. */
function pending() {
  const all = new Set<Promise<void>>();
  return {
    track<T>(running: Promise<T>): Promise<T> {
      const done = () => void all.delete(end);
      const end = running.then(done, done);
      all.add(end);
      return running;
    },
    isEmpty: () => all.size === 0,
    /** Resolves when all of it has ended, one way or another. */
    end: () => Promise.all(all),
  };
}

const returned = (value: unknown): Outcome => ({ kind: 'returned', value });
