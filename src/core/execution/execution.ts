import { type IdempotencyError, shown } from '../../errors.ts';
import { isPromise } from '../../json.ts';
import type { EventDetail } from '../events.ts';
import { type ProtocolOptions, requireNumber, type Settlement, YEAR_MILLIS } from '../options.ts';
import { endedError, leaseLostError, storeFailure, unfinished } from '../record/failures.ts';
import { type Encoded, type EncodedOutcome, type Outcome, type ReplayFormat, returned } from '../record/outcome.ts';
import { TIMED_OUT, within } from '../runtime.ts';
import type { ExecutionContext } from './context.ts';
import { ExecutionHandle, type IdempotencyHandle } from './handle.ts';
import { DONE, holdRecord, type ItemsRefused, type LeaseWrite, type Settled } from './held-record.ts';
import { type LeaseTimers, leaseTimers } from './lease-timers.ts';
import { createStep, type Step } from './step.ts';

/** A won claim: the right to execute, and the duty to settle. */
export interface Execution {
  readonly handle: IdempotencyHandle;
  readonly format: ReplayFormat;
  /** Asks the user's policy what becomes of this outcome. A policy that fails never releases. */
  settlementOf(outcome: Outcome): Settlement;
  /**
   * Stores the outcome that the caller sees. Never throws. A later call replaces the outcome, unless this one is `final`.
   * After `complete`, an error does not replace the response.
   */
  store(encoded: Encoded, final?: boolean): Promise<Settled>;
  /** Lets a retry execute. Never throws. */
  release(): Promise<Settled>;
  /** Leaves the lease to run out, by the user's policy. */
  hold(): Promise<Settled>;
  /** The invocation has timed out, and the handler may still be running: leaves the lease to run out. */
  timeOut(): void;
  /** Makes the lease last while the work does, from now on until it is settled. */
  renew(): void;
  /** Whether the guarded code itself has stored its response: no later failure changes the record. */
  isCompleted(): boolean;
  /** Whether it has ended, or has stored its response: then a nested call of the same request gets that. */
  isOver(): boolean;
  /** Resolves when every write of a response that the guarded code has begun has ended. */
  completionsEnd(): Promise<unknown>;
}

/**
 * Whether the guarded code itself has stored its response. `'storing'`: it is being written; `'unknown'`: it may be
 * written, and only the record can tell.
 */
type Stored = 'no' | 'storing' | 'yes' | 'unknown';

export function createExecution(context: ExecutionContext): Execution {
  const { options, runtime, identity, budget, record, format, tell } = context;
  const held = holdRecord(context);
  let madeTimers: LeaseTimers | undefined;
  const steps = new Set<Promise<void>>();
  const completions = new Set<Promise<void>>();
  let runStep: Step | undefined;
  let stored: Stored = 'no';
  let ended: 'no' | 'settled' | 'timed out' = 'no';
  let isLost = false;
  let isStopped = false;

  const handle = new ExecutionHandle(
    {
      id: record.id,
      attempt: record.attempt,
      deriveKey: (name) => identity.deriveKey(name),
      extend,
      step: (name, fn) => tracked(steps, step(name, fn)),
      complete: (response) => tracked(completions, complete(response)),
      transact: (items, response) => tracked(completions, transact(items, response)),
    },
    { leaseUntil: held.leaseUntil, signal: () => timers().signal() },
  );
  return {
    handle,
    format,
    settlementOf: judge,
    store: (encoded, final = true) => settle('store', encoded, final),
    release: () => settle('release'),
    hold: () => settle('hold'),
    timeOut: () => void hold('timeout'),
    renew: () => timers().renew(),
    isCompleted,
    isOver: () => ended !== 'no' || isCompleted(),
    completionsEnd: () => Promise.all(completions),
  };

  // What the guarded code does with its handle.

  async function extend(millis: number): Promise<void> {
    requireNumber('extend(millis)', millis, YEAR_MILLIS);
    if (isCompleted() || ended === 'settled') return;
    // The caller has the answer of the timeout. A handler that goes on must not begin another effect.
    if (ended === 'timed out') throw endedError();
    let written: LeaseWrite;
    try {
      written = await held.extend(millis);
    } catch (error) {
      throw unfinished(storeFailure(error));
    }
    if (written === 'lost' && ended === 'no') throw lost();
  }

  async function step<T>(name: string, fn: () => T) {
    runStep ??= createStep({ record: held, tell, assertMayGoOn, isCompleted, lost });
    return runStep(name, fn);
  }

  async function complete(response: unknown): Promise<void> {
    assertMayGoOn();
    await store(() => held.complete(encode(response), { final: false, ended: false }));
  }

  async function transact(items: readonly never[], response: unknown): Promise<void> {
    if (!options.store.transact) {
      throw refusedTransaction('this store has no transactions');
    }
    if (!Array.isArray(items) || items.length === 0) {
      throw refusedTransaction('items must be a list of writes');
    }
    assertMayGoOn();
    if (stored !== 'no') {
      // The record would not tell whether these items were written, or only an earlier outcome.
      throw refusedTransaction('the outcome is, or may be, stored already');
    }
    const settled = await store(() => held.transact(encode(response), items));
    if (settled.kind === 'itemsRefused') throw settled.error;
  }

  async function store<T extends Settled | ItemsRefused>(write: () => Promise<T>): Promise<T> {
    const before = stored;
    if (stored === 'no') stored = 'storing';
    let settled: T;
    try {
      settled = await write();
    } catch (error) {
      const failure = storeFailure(error);
      // Only a refusal without any doubt has certainly written nothing.
      if (!isCompleted()) stored = failure.retryable === false ? before : 'unknown';
      throw unfinished(failure);
    }
    if (settled.kind === 'itemsRefused') {
      // A `complete` beside it may have stored its response.
      if (!isCompleted()) stored = settled.isDoubtful ? 'unknown' : 'no';
    } else if (settled.kind === 'done') stored = 'yes';
    else throw lose();
    if (isCompleted()) stop();
    return settled;
  }

  function encode(response: unknown): EncodedOutcome {
    return format.encode(returned(response)).stored;
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
    const isReturned = outcome.kind === 'returned';
    if (isCompleted()) return isReturned ? 'store' : 'hold';
    if (!options.settle) return isReturned ? 'store' : 'release';
    return settlementOf(options.settle, outcome, runStep !== undefined || stored !== 'no', tell);
  }

  async function settle(settlement: Settlement, encoded?: Encoded, final = true): Promise<Settled> {
    if (ended === 'no') ended = 'settled';
    try {
      // A completion that the handler did not wait for must not meet a release.
      await Promise.all(completions);
      if (isCompleted() && encoded?.outcome.kind !== 'returned') held.confirm();
      else if (encoded) return await held.complete(encoded.stored, { final, ended: true });
      else return await (settlement === 'release' ? letGo() : hold('policy'));
    } catch (error) {
      // The caller gets the outcome, whatever happens to the record.
      tell({ type: 'completionFailed', error });
    } finally {
      stop();
    }
    return DONE;
  }

  /** A step that goes on after the handler has failed is part of this execution: a successor waits for its end. */
  async function letGo(): Promise<Settled> {
    if (isLost) return { kind: 'leaseLost' };
    const left = budget.left(held.leaseUntil());
    const isOver = steps.size === 0 || (await within(runtime, left, () => Promise.all(steps))) !== TIMED_OUT;
    // What the signal has stopped may have happened.
    return isOver && !madeTimers?.hasFired() ? held.release() : hold('timeout');
  }

  function hold(reason: 'policy' | 'timeout'): Settled {
    if (reason === 'timeout') {
      ended = 'timed out';
      timers().fire(endedError());
    }
    stop();
    if (!isCompleted()) tell({ type: 'held', reason });
    return DONE;
  }

  /** Made when something needs them: the signal, a renewal, a lost lease. */
  function timers(): LeaseTimers {
    madeTimers ??= leaseTimers({ runtime, budget, record: held, onLost: lost });
    if (isStopped) madeTimers.stop();
    return madeTimers;
  }

  /** The work has ended: there is nothing to stop, and nothing to renew. */
  function stop(): void {
    isStopped = true;
    madeTimers?.stop();
  }

  function lost(): IdempotencyError {
    if (!isLost) tell({ type: 'leaseLost' });
    return lose();
  }

  /** The event was emitted already. */
  function lose(): IdempotencyError {
    isLost = true;
    const error = leaseLostError();
    timers().fire(error);
    stop();
    return error;
  }
}

function refusedTransaction(problem: string): TypeError {
  return new TypeError(`transact(items, response): ${problem}`);
}

/** Asks the user's policy what becomes of this outcome. A policy that fails never releases. */
export function settlementOf(
  settle: NonNullable<ProtocolOptions['settle']>,
  outcome: Outcome,
  hasEffects: boolean,
  tell: (detail: EventDetail) => void,
): Settlement {
  let failure: unknown;
  try {
    const settlement: unknown = settle(outcome, hasEffects);
    if (settlement === 'store' || settlement === 'release' || settlement === 'hold') return settlement;
    const answer = isPromise(settlement) ? 'a promise' : shown(settlement);
    failure = new TypeError(`settle must answer 'store', 'release' or 'hold', not ${answer}`);
  } catch (error) {
    failure = error;
  }
  tell({ type: 'settlePolicyFailed', error: failure });
  return outcome.kind === 'returned' ? 'store' : 'hold';
}

/** Keeps a promise among those that have not ended. */
function tracked<T>(running: Set<Promise<void>>, promise: Promise<T>): Promise<T> {
  const done = () => void running.delete(end);
  const end = promise.then(done, done);
  running.add(end);
  return promise;
}
