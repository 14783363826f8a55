import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REGION = 'eu-central-1';
export const ACCOUNT = '000000000000';
/** The emulator takes an account's number as access key. */
export const CREDENTIALS = { accessKeyId: ACCOUNT, secretAccessKey: 'test' };

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Nothing of the person who runs this gets in: no profile, no configured endpoint, no real account. */
function environment(endpoint: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    CDK_DISABLE_CLI_TELEMETRY: 'true',
    CI: 'true',
  };
}

/** The real CDK CLI against the emulator. Answers what it printed. @throws Error with that when it fails */
async function cdk(endpoint: string, args: readonly string[], cwd = root): Promise<string> {
  const command = join(root, 'node_modules/.bin/cdk');
  const child = spawn(command, [...args, '--no-notices', '--no-color'], {
    cwd,
    env: environment(endpoint),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (chunk) => output.push(String(chunk)));
  child.stderr.on('data', (chunk) => output.push(String(chunk)));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`cdk ${args.join(' ')} failed:\n${output.join('')}`);
  return output.join('');
}

export interface Outputs {
  readonly Url: string;
  readonly FunctionName: string;
  readonly IdempotencyTableName: string;
  readonly PaymentsTableName: string;
  readonly LedgerTableName: string;
  readonly LedgerQueueUrl: string;
  readonly LedgerDeadLettersUrl: string;
  readonly DashboardName: string;
}

export interface Deployment {
  readonly bootstrap: () => Promise<string>;
  /** `cdk deploy` in the root of the repository; answers the stack's outputs. */
  readonly deploy: (...options: readonly string[]) => Promise<Outputs>;
  readonly destroy: () => Promise<string>;
  /** Removes the files that these have made. */
  readonly cleanUp: () => void;
}

export function deploymentTo(endpoint: string): Deployment {
  const folder = mkdtempSync(join(tmpdir(), 'middy-idempotency-deploy-'));
  const assembly = join(folder, 'cdk.out');
  const outputs = join(folder, 'outputs.json');
  return {
    // Where there is no app: the account is named, so that none needs to be synthesised.
    bootstrap: () => cdk(endpoint, ['bootstrap', `aws://${ACCOUNT}/${REGION}`], folder),
    async deploy(...options) {
      const files = ['--output', assembly, '--outputs-file', outputs];
      await cdk(endpoint, ['deploy', '--require-approval', 'never', ...files, ...options]);
      return JSON.parse(readFileSync(outputs, 'utf8')).IdempotentPayments;
    },
    destroy: () => cdk(endpoint, ['destroy', '--force', '--app', assembly], folder),
    cleanUp: () => rmSync(folder, { recursive: true, force: true }),
  };
}
