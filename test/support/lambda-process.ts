import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FunctionSettings } from '../../tools/context.ts';

export interface LambdaProcess {
  /** What the function has logged, a line each. */
  readonly lines: string[];
  /** @throws Error with what the handler threw */
  invoke(event: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

export interface LambdaProcessOptions extends FunctionSettings {
  /** The code package, unpacked. */
  readonly folder: string;
  /** `<module>.<export>` */
  readonly handler: string;
  /** Nothing else is in the function's environment. */
  readonly environment: Readonly<Record<string, string>> | undefined;
}

/** Starts a code package in a plain Node process of its own. @throws Error with what it printed when it cannot be loaded */
export async function startLambdaProcess(options: LambdaProcessOptions): Promise<LambdaProcess> {
  const { folder, handler, functionName, timeoutMillis, environment } = options;
  const child = fork(
    fileURLToPath(new URL('lambda-runtime.ts', import.meta.url)),
    [folder, handler, functionName, String(timeoutMillis)],
    {
      cwd: folder,
      env: { ...environment, AWS_LAMBDA_FUNCTION_NAME: functionName },
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    },
  );
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => lines.push(...String(chunk).trimEnd().split('\n')));
  }
  await started(child, lines);
  let invocations = 0;
  return {
    lines,
    async invoke(event) {
      const id = ++invocations;
      child.send({ id, event });
      for (;;) {
        const [answer] = (await once(child, 'message')) as [{ id: number; response?: unknown; error?: string }];
        if (answer.id !== id) continue;
        if (answer.error !== undefined) throw new Error(answer.error);
        return answer.response;
      }
    },
    async stop() {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

async function started(child: ChildProcess, lines: readonly string[]): Promise<void> {
  // `close` comes after the last line.
  const ended = once(child, 'close').then(() => {
    throw new Error(`the function could not be loaded:\n${lines.join('\n')}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
}
