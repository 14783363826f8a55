import { getBuiltinModule } from './builtins.ts';
import type { Runtime } from './core/runtime.ts';

/** The clock, the randomness and the timers of this process. */
export const systemRuntime: Runtime = {
  now: () => Date.now(),
  monotonic: () => Math.trunc(performance.now()),
  // Clones of one process, made from a snapshot, have the same cache of random bytes.
  randomToken: () => getBuiltinModule('node:crypto').randomUUID({ disableEntropyCache: true }),
  random: () => Math.random(),
  delay(millis) {
    const { promise: elapsed, resolve } = Promise.withResolvers<void>();
    // Node fires a timer at once whose delay does not fit into 31 bits.
    const timer = setTimeout(resolve, Math.min(millis, 2 ** 31 - 1));
    return {
      elapsed,
      cancel() {
        clearTimeout(timer);
        resolve();
      },
    };
  },
};
