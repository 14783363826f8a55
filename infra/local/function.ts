import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { FunctionSettings } from '../../tools/context.ts';

export interface LocalFunctionOptions extends FunctionSettings {
  /** Exports the `handler`. */
  readonly module: URL;
  readonly environment: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
  /** Gets every line that the function prints. */
  readonly onLine: (line: string) => void;
}

/** A Lambda function in a process of its own: one invocation at a time. Whenever its process is gone, the next one starts another. */
export interface LocalFunction {
  /**
   * @throws Error with what the handler threw, or when the process has ended, or was killed because
   * its time had run out
   */
  invoke(event: unknown): Promise<unknown>;
  /** SIGKILL, whatever it is doing. Answers whether there was a process. */
  kill(): boolean;
  stop(): Promise<void>;
}

type Answer = { readonly response?: unknown; readonly error?: string };

const PROGRAM = fileURLToPath(new URL('function-process.ts', import.meta.url));

export function localFunction({
  module,
  environment,
  execArgv,
  onLine,
  ...settings
}: LocalFunctionOptions): LocalFunction {
  const { functionName, timeoutMillis } = settings;
  let running: { readonly child: ChildProcess; readonly ready: Promise<unknown>; readonly ended: Promise<unknown> };
  let isStopped = false;
  start();

  function start(): void {
    const child = fork(PROGRAM, [module.href, functionName, String(timeoutMillis)], {
      env: { ...process.env, ...environment, AWS_LAMBDA_FUNCTION_NAME: functionName },
      execArgv: [...execArgv],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const input of [child.stdout, child.stderr]) {
      if (input !== null) createInterface({ input }).on('line', onLine);
    }
    running = { child, ready: once(child, 'message'), ended: once(child, 'exit') };
    running.ready.catch(() => undefined);
  }

  return {
    async invoke(event) {
      const ends = running.ended.then(() => {
        throw new Error(`the process of ${functionName} ended`);
      });
      ends.catch(() => undefined);
      const { child, ready } = running;
      let timeout: NodeJS.Timeout | undefined;
      try {
        await Promise.race([ready, ends]);
        const answered = once(child, 'message');
        answered.catch(() => undefined);
        // If the process is gone by now, its exit event reports it.
        child.send(event as object, () => undefined);
        // Lambda, too, ends the process of a function whose time has run out.
        timeout = setTimeout(() => child.kill('SIGKILL'), timeoutMillis);
        const [answer] = (await Promise.race([answered, ends])) as [Answer];
        if (answer.error !== undefined) throw new Error(answer.error);
        return answer.response;
      } finally {
        clearTimeout(timeout);
        if (!isStopped && (child.exitCode !== null || child.signalCode !== null)) start();
      }
    },
    kill: () => running.child.kill('SIGKILL'),
    async stop() {
      isStopped = true;
      running.child.kill('SIGKILL');
      await running.ended;
    },
  };
}
