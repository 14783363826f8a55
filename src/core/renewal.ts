import type { Lease } from './lease.ts';
import type { Runtime } from './runtime.ts';

/** Two renewals may fail before the lease is in danger. */
const RENEWALS_A_LEASE = 3;
const MAX_RETRY_MILLIS = 1000;

export interface Renewal {
  start(): void;
  stop(): void;
}

interface RenewalContext {
  readonly runtime: Runtime;
  readonly lease: Lease;
  readonly leaseMillis: number;
  readonly onLost: () => void;
}

/** Makes the lease last while the work does. A renewal that fails is tried again, sooner. */
export function createRenewal({ runtime, lease, leaseMillis, onLost }: RenewalContext): Renewal {
  const interval = leaseMillis / RENEWALS_A_LEASE;
  let timer: ReturnType<Runtime['delay']> | undefined;
  let stopped = false;

  return {
    start: () => void renew(),
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };

  async function renew(): Promise<void> {
    let pause = interval;
    for (;;) {
      timer = runtime.delay(pause);
      await timer.elapsed;
      if (stopped) return;
      try {
        const written = await lease.extend(leaseMillis);
        if (written === 'lost' && !stopped) onLost();
        if (written !== 'written') return;
        pause = interval;
      } catch {
        pause = Math.min(interval / RENEWALS_A_LEASE, MAX_RETRY_MILLIS);
      }
    }
  }
}
