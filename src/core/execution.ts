import { type IdempotencyError, shown } from '../errors.ts';
import type { TimeBudget } from './budget.ts';
import type { RecordCache } from './cache.ts';
import type { EventDetail } from './events.ts';
import { ExecutionHandle } from './execution-handle.ts';
import { createFinishing } from './finishing.ts';
import type { IdempotencyHandle } from './handle.ts';
import type { Identity } from './identity.ts';
import { createLease } from './lease.ts';
import { endedError, leaseEndsError, leaseLostError } from './lease-errors.ts';
import { createLeaseWatch } from './lease-watch.ts';
import { type ResolvedProtocolOptions, type Settlement, YEAR_MILLIS } from './options.ts';
import type { Outcome } from './outcome.ts';
import { pending } from './pending.ts';
import { policyFor } from './policy.ts';
import type { InProgressRecord } from './record.ts';
import { createRenewal } from './renewal.ts';
import { type Runtime, TIMED_OUT, within } from './runtime.ts';
import { createSettling, type Settled } from './settling.ts';
import { createStep } from './steps.ts';
import { createWriting } from './writing.ts';

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

export interface ExecutionContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly budget: TimeBudget;
  readonly record: InProgressRecord;
  readonly cache: RecordCache | undefined;
  readonly tell: (detail: EventDetail) => void;
}

export function createExecution(context: ExecutionContext): Execution {
  const { options, runtime, identity, budget, record, tell } = context;
  const writing = createWriting(context, () => lease.until());
  const lease = createLease(context, writing);
  const { complete, completeNow, transact, confirm, release } = createSettling(context, writing, lease);
  const runStep = createStep({ lease, tell, assertMayGoOn, isCompleted, lost });
  const finishing = createFinishing({
    store: options.store,
    completeNow,
    writeTogether: transact,
    assertMayGoOn,
    onCompleted: stop,
    lost: lose,
  });
  const watch = createLeaseWatch({
    runtime,
    deadline: () => lease.until() - budget.reserveMillis,
    reason: leaseEndsError,
  });
  const renewal = createRenewal({ runtime, lease, leaseMillis: budget.leaseMillis, onLost: lost });
  const steps = pending();
  const completions = pending();
  let form = (outcome: Outcome) => outcome;
  let ended = false;
  let timedOut = false;
  let isLost = false;

  const handle = new ExecutionHandle(
    {
      id: record.id,
      attempt: record.attempt,
      deriveKey: (name) => identity.deriveKey(name),
      extend,
      step: (name, fn) => steps.track(runStep(name, fn)),
      complete: (response) => completions.track(finishing.complete(form(returned(response)))),
      transact: (items, response) => completions.track(finishing.transact(items, form(returned(response)))),
    },
    { leaseUntil: lease.until, signal: watch.signal },
  );
  return {
    handle,
    policyFor: judge,
    settle,
    confirm,
    hold,
    renew() {
      if (budget.renewable) renewal.start();
    },
    isCompleted,
    completionsEnd: completions.end,
    storeAs(given) {
      form = given;
    },
  };

  function isCompleted(): boolean {
    return finishing.isCompleted();
  }

  function judge(outcome: Outcome): Settlement {
    if (isCompleted()) return outcome.kind === 'returned' ? 'store' : 'hold';
    return policyFor(options, outcome, tell);
  }

  async function settle(settlement: Settlement, outcome: Outcome, final = true): Promise<Settled> {
    ended = true;
    try {
      return await perform(settlement, outcome, final);
    } finally {
      stop();
    }
  }

  async function perform(settlement: Settlement, outcome: Outcome, final: boolean): Promise<Settled> {
    // A completion that the handler did not wait for must not meet a release.
    await completions.end();
    if (isCompleted() && (settlement !== 'store' || outcome.kind === 'threw')) {
      if (final) confirm();
      return { kind: 'done' };
    }
    switch (settlement) {
      case 'store':
        return complete(form(outcome), final);
      case 'release':
        return letGo();
      case 'hold':
        hold('policy');
        return { kind: 'done' };
    }
  }

  /** A step that goes on after the handler has failed is part of this execution: no other one may begin before its end. */
  async function letGo(): Promise<Settled> {
    if (isLost) return { kind: 'leaseLost' };
    const isOver = steps.isEmpty() || (await within(runtime, budget.left(lease.until()), steps.end())) !== TIMED_OUT;
    // What the signal has stopped may have happened.
    if (isOver && !watch.hasFired()) return release();
    hold('timeout');
    return { kind: 'done' };
  }

  function hold(reason: 'policy' | 'timeout'): void {
    ended = true;
    timedOut ||= reason === 'timeout';
    if (reason === 'timeout') watch.fire(endedError());
    stop();
    if (!isCompleted()) tell({ type: 'held', reason });
  }

  async function extend(millis: number): Promise<void> {
    if (typeof millis !== 'number' || !(millis > 0 && millis <= YEAR_MILLIS)) {
      throw new TypeError(
        `extend(millis): millis must be a finite number above 0 and at most ${YEAR_MILLIS}, not ${shown(millis)}`,
      );
    }
    // Its caller has been told that time is over, and the handler goes on: nothing keeps its next effect from being the second.
    if (timedOut && !isCompleted()) throw endedError();
    if (ended || isCompleted()) return;
    if ((await lease.extend(millis)) === 'lost' && !ended) throw lost();
  }

  function assertMayGoOn(): void {
    if (ended) throw endedError();
    if (!isCompleted() && (isLost || runtime.now() >= lease.until())) throw leaseLostError();
  }

  function lost(): IdempotencyError {
    if (!isLost) tell({ type: 'leaseLost' });
    return lose();
  }

  function lose(): IdempotencyError {
    isLost = true;
    const error = leaseLostError();
    watch.fire(error);
    stop();
    return error;
  }

  function stop(): void {
    watch.stop();
    renewal.stop();
  }
}

const returned = (value: unknown): Outcome => ({ kind: 'returned', value });
