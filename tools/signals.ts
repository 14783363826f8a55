const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** npm hands a signal on that the terminal has sent to this process as well: one Ctrl-C may arrive twice. */
const ECHO_MILLIS = 300;

/**
 * Stops at the first signal and ends the process with exit code 0. At a second one, ends it at once.
 *
 * @returns aborted from the first signal on: what fails then, fails because it is being stopped
 */
export function onStopSignal(stop: () => Promise<void>): AbortSignal {
  const stopping = new AbortController();
  let firstAt: number | undefined;
  for (const signal of SIGNALS) process.on(signal, () => void onSignal());
  return stopping.signal;

  async function onSignal(): Promise<void> {
    if (firstAt !== undefined) {
      if (performance.now() - firstAt > ECHO_MILLIS) process.exit(130);
      return;
    }
    firstAt = performance.now();
    stopping.abort();
    try {
      await stop();
      process.exit(0);
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
  }
}
