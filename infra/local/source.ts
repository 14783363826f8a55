import { setTimeout as sleep } from 'node:timers/promises';

/** What delivers events to a function until it is stopped. */
export interface Source {
  /** Resolves when nothing is delivered any more. */
  stop(): Promise<void>;
}

const RETRY_MILLIS = 1000;

/**
 * Delivers again and again. What fails is tried again: the queue or the table may be gone for a
 * moment. When everything is being stopped, that is no failure.
 */
export function runSource(deliver: (signal: AbortSignal) => Promise<void>, onError: (error: unknown) => void): Source {
  const stopping = new AbortController();
  const { signal } = stopping;
  const running = run();
  return {
    stop() {
      stopping.abort();
      return running;
    },
  };

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await deliver(signal);
      } catch (error) {
        await pause(RETRY_MILLIS, signal);
        if (!signal.aborted) onError(error);
      }
    }
  }
}

/** Ends at once when everything is stopped. */
export async function pause(millis: number, signal: AbortSignal): Promise<void> {
  await sleep(millis, undefined, { signal }).catch(() => undefined);
}
