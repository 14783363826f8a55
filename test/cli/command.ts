import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

export interface Ended {
  readonly exitCode: number | null;
  readonly out: string;
  readonly told: string;
}

/** Where DynamoDB is for these tests, and who asks. */
export function localEnvironment(): NodeJS.ProcessEnv {
  const { AWS_LAMBDA_FUNCTION_NAME: _, ...inherited } = process.env;
  return { ...inherited, AWS_ACCESS_KEY_ID: 'local', AWS_SECRET_ACCESS_KEY: 'local' };
}

/** The options that lead to the table of a test. */
export const tableOptions = (tableName: string) => [
  ...['--table', tableName],
  ...['--endpoint', inject('dynamoDBEndpoint')],
  ...['--region', 'eu-central-1'],
];

/** `middy-idempotency ARGS`, as a process of its own without a terminal. */
export async function command(args: readonly string[], { input = '', environment = {} } = {}): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...localEnvironment(), ...environment } });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [exitCode, out, told] = await Promise.all([exited, text(child.stdout), text(child.stderr)]);
  return { exitCode, out, told };
}
