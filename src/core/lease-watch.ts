import type { IdempotencyError } from '../errors.ts';
import type { Runtime } from './runtime.ts';

/** Tells the guarded code to stop while it is still alone. Costs nothing until somebody asks for the signal. */
export interface LeaseWatch {
  signal(): AbortSignal;
  /** Whether the signal was asked for, and has fired. */
  hasFired(): boolean;
  fire(reason: IdempotencyError): void;
  /** The work has ended: there is nothing to stop any more. */
  stop(): void;
}

interface WatchContext {
  readonly runtime: Runtime;
  /** When it has to fire, epoch milliseconds; later after an extension. */
  readonly deadline: () => number;
  readonly reason: () => IdempotencyError;
}

export function createLeaseWatch({ runtime, deadline, reason }: WatchContext): LeaseWatch {
  let controller: AbortController | undefined;
  let fired: IdempotencyError | undefined;
  let timer: ReturnType<Runtime['delay']> | undefined;
  let stopped = false;

  return {
    signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (fired === undefined) void watch();
        else controller.abort(fired);
      }
      return controller.signal;
    },
    hasFired: () => controller?.signal.aborted === true,
    fire,
    stop,
  };

  async function watch(): Promise<void> {
    for (;;) {
      if (stopped) return;
      const left = deadline() - runtime.now();
      if (left <= 0) return fire(reason());
      timer = runtime.delay(left);
      await timer.elapsed;
    }
  }

  function fire(error: IdempotencyError): void {
    if (stopped) return;
    stop();
    fired = error;
    controller?.abort(error);
  }

  function stop(): void {
    stopped = true;
    timer?.cancel();
  }
}
