import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';

export interface DeployedFunction {
  /** The unpacked code package. */
  readonly folder: string;
  /** What the function has logged, a line each. */
  readonly lines: string[];
  invoke(event: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** Unpacks a code package, as it was uploaded, and starts it with the environment that was deployed and nothing else. */
export async function runDeployed(
  zip: Uint8Array,
  configuration: FunctionConfiguration,
  credentials: Readonly<Record<string, string>>,
): Promise<DeployedFunction> {
  const folder = mkdtempSync(join(tmpdir(), 'middy-idempotency-function-'));
  const archive = join(folder, 'code.zip');
  writeFileSync(archive, zip);
  const unpacked = join(folder, 'task');
  const { status, stderr } = spawnSync('python3', ['-m', 'zipfile', '-e', archive, unpacked], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the code package is no zip: ${stderr}`);

  const { Handler = '', FunctionName = '', Timeout = 0, Environment } = configuration;
  const child = fork(
    fileURLToPath(new URL('lambda-runtime.ts', import.meta.url)),
    [unpacked, Handler, FunctionName, String(Timeout * 1000)],
    {
      cwd: unpacked,
      env: { ...Environment?.Variables, ...credentials, AWS_LAMBDA_FUNCTION_NAME: FunctionName },
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
    folder: unpacked,
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
      if (child.exitCode === null) {
        const exited = once(child, 'exit');
        child.kill();
        await exited;
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function started(child: ChildProcess, lines: readonly string[]): Promise<void> {
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the function could not be loaded:\n${lines.join('\n')}`);
  });
  await Promise.race([once(child, 'message'), ended]);
  ended.catch(() => undefined);
}
