import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import { type LambdaProcess, startLambdaProcess } from '../support/lambda-process.ts';

export interface DeployedFunction extends LambdaProcess {
  /** The unpacked code package. */
  readonly folder: string;
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
  const running = await startLambdaProcess({
    folder: unpacked,
    handler: Handler,
    functionName: FunctionName,
    timeoutMillis: Timeout * 1000,
    environment: { ...Environment?.Variables, ...credentials },
  });
  return {
    ...running,
    folder: unpacked,
    async stop() {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
