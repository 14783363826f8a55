import type { IdempotencyError } from '../../errors.ts';
import type { TimeBudget } from '../budget.ts';
import { leaseEndsError } from '../record/failures.ts';
import type { Runtime } from '../runtime.ts';
import type { HeldRecord } from './held-record.ts';

/** What the clock does to a lease: it fires the signal that stops the guarded code, and it renews the lease. */
export interface LeaseTimers {
  /** Fires when the lease is lost or is about to end. Costs nothing until the guarded code reads it. */
  signal(): AbortSignal;
  /** Whether the guarded code has read the signal, and it has fired. */
  hasFired(): boolean;
  fire(reason: IdempotencyError): void;
  /** Makes the lease last while the work does. A renewal that fails is tried again, sooner. */
  renew(): void;
  /** The work has ended: there is nothing to stop, and nothing to renew. */
  stop(): void;
}

interface TimerContext {
  readonly runtime: Runtime;
  readonly budget: TimeBudget;
  readonly record: Pick<HeldRecord, 'leaseUntil' | 'extend'>;
  readonly onLost: () => void;
}

/** The lease is renewed at every third of its length, so that a renewal that fails can be tried again in time. */
const RENEWALS_A_LEASE = 3;
const MAX_RETRY_MILLIS = 1000;

type Timer = ReturnType<Runtime['delay']>;

export function leaseTimers({ runtime, budget, record, onLost }: TimerContext): LeaseTimers {
  const interval = budget.leaseMillis / RENEWALS_A_LEASE;
  const timers = new Set<Timer>();
  let controller: AbortController | undefined;
  let fired: IdempotencyError | undefined;
  let stopped = false;

  return {
    signal() {
      if (!controller) {
        controller = new AbortController();
        if (fired) controller.abort(fired);
        else void watch();
      }
      return controller.signal;
    },
    hasFired: () => controller?.signal.aborted === true,
    fire,
    renew: () => void (budget.renewable && renewing()),
    stop,
  };

  async function watch(): Promise<void> {
    while (!stopped && !fired) {
      const left = record.leaseUntil() - budget.reserveMillis - runtime.now();
      if (left <= 0) return fire(leaseEndsError());
      await elapsed(left);
    }
  }

  async function renewing(): Promise<void> {
    let pause = interval;
    for (;;) {
      await elapsed(pause);
      if (stopped) return;
      try {
        const written = await record.extend(budget.leaseMillis);
        if (written === 'lost' && !stopped) onLost();
        if (written !== 'written') return;
        pause = interval;
      } catch {
        pause = Math.min(interval / RENEWALS_A_LEASE, MAX_RETRY_MILLIS);
      }
    }
  }

  async function elapsed(millis: number): Promise<void> {
    const timer = runtime.delay(millis);
    timers.add(timer);
    await timer.elapsed;
    timers.delete(timer);
  }

  function fire(error: IdempotencyError): void {
    if (stopped || fired) return;
    fired = error;
    controller?.abort(error);
  }

  function stop(): void {
    stopped = true;
    for (const timer of timers) timer.cancel();
  }
}
