import { UsageError } from '../../tools/arguments.ts';
import { onStopSignal } from '../../tools/signals.ts';

/** What ends something that was started. */
export type Stop = () => Promise<unknown>;

export interface Command<Settings> {
  readonly usage: string;
  /** @returns undefined where help is asked for. @throws UsageError */
  readonly readSettings: (args: readonly string[]) => Settings | undefined;
  /** Puts into `stops` what must be ended, whatever happens. @returns whether all was well */
  readonly run: (settings: Settings, stops: Stop[]) => Promise<boolean>;
}

/**
 * Runs it, and ends all that it has started, the last first. Exit codes: 0; 1 when not all was well; 2 for a wrong command
 * line; 130 after Ctrl-C.
 */
export async function runCommand<Settings>(command: Command<Settings>): Promise<void> {
  try {
    process.exitCode = await perform(command);
  } catch (error) {
    console.error(error instanceof UsageError ? `${error.message}\n\n${command.usage}` : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  }
}

async function perform<Settings>({ usage, readSettings, run }: Command<Settings>): Promise<number> {
  const settings = readSettings(process.argv.slice(2));
  if (settings === undefined) {
    console.log(usage);
    return 0;
  }
  const stops: Stop[] = [];
  const stopAll = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  const stopping = onStopSignal(async () => {
    await stopAll();
    console.log('Stopped');
    process.exit(130);
  });
  try {
    const isRight = await run(settings, stops);
    await stopAll();
    return isRight ? 0 : 1;
  } catch (error) {
    // What fails while everything is being stopped, fails because of that.
    if (stopping.aborted) return 130;
    await stopAll();
    throw error;
  }
}
