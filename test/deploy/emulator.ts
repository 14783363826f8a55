import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../tools/dynamodb-local.ts';
import { installFromPyPI } from '../../tools/python.ts';

/** From PyPI, MIT. It speaks CloudFormation, and runs the deployed function behind the deployed API. */
const PACKAGE = 'ministack==1.5.33';
const START_MILLIS = 60_000;
const POLL_MILLIS = 100;

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export interface Emulator {
  /** Where all services of AWS answer: `http://127.0.0.1:<port>`. */
  readonly endpoint: string;
  readonly port: number;
  /** What it has printed. */
  output(): string;
  stop(): Promise<void>;
}

/** An emulator of AWS on a free port of this machine, in a virtual environment of its own. @throws Error that says what is missing */
export async function startEmulator(): Promise<Emulator> {
  const python = join(installFromPyPI(PACKAGE), 'python');
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'middy-idempotency-emulator-'));
  const child = spawn(python, [here('emulator.py')], {
    env: {
      PATH: process.env['PATH'],
      GATEWAY_PORT: String(port),
      BIND_HOST: '127.0.0.1',
      MINISTACK_HOST: 'localhost',
      TMPDIR: folder,
      HOME: folder,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  child.stdout.on('data', (chunk) => output.push(String(chunk)));
  child.stderr.on('data', (chunk) => output.push(String(chunk)));
  child.on('error', (error) => output.push(error.message));
  process.once('exit', () => child.kill());

  const emulator: Emulator = {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    output: () => output.join(''),
    async stop() {
      await terminate(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await untilAnswering(emulator, child);
  } catch (error) {
    await emulator.stop();
    throw error;
  }
  return emulator;
}

async function untilAnswering({ endpoint, output }: Emulator, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MILLIS;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`The emulator ended at its start:\n${output()}`);
    try {
      await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(2000) });
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new Error(`The emulator does not answer:\n${output()}`, { cause });
      await sleep(POLL_MILLIS);
    }
  }
}

async function terminate(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill();
  await exited;
}
