import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CERTIFICATE } from '../tools/loopback-tls.ts';
import { httpEvent } from './event.ts';
import { instantServer } from './instant-server.ts';

const CHILD = fileURLToPath(new URL('cold-start-child.mjs', import.meta.url));

/** A bundle, and how it is to be started. */
export interface Startable {
  readonly code: string;
  /** Of its file. @default 'mjs' */
  readonly extension?: 'cjs' | 'mjs';
  /** Whether V8's code is kept between processes: what `NODE_COMPILE_CACHE` does. @default false */
  readonly compileCache?: boolean;
}

/** Milliseconds: until then from the beginning, and of CPU of all threads. */
export interface Start {
  readonly import: number;
  readonly answer: number;
  readonly importCpu: number;
  readonly answerCpu: number;
  readonly residentMegabytes: number;
}

/** A bundle's file, and the environment that its process needs. */
export interface Started {
  readonly file: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Writes them where an external SDK is found, with a DynamoDB that answers at once. `tls`: by HTTPS, as in Lambda. */
export async function withBundles<Name extends string, T>(
  startables: Readonly<Record<Name, Startable>>,
  { tls }: { readonly tls: boolean },
  run: (started: (name: Name) => Started) => Promise<T>,
): Promise<T> {
  const cache = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'cold-start-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  const { endpoint, close } = await instantServer(tls);
  const fileOf = (name: Name) => join(folder, `${name}.${startables[name].extension ?? 'mjs'}`);
  try {
    const certificate = join(folder, 'certificate.pem');
    writeFileSync(certificate, CERTIFICATE);
    for (const name of Object.keys(startables) as Name[]) writeFileSync(fileOf(name), startables[name].code);
    return await run((name) => ({
      file: fileOf(name),
      environment: {
        PATH: process.env['PATH'],
        AWS_LAMBDA_FUNCTION_NAME: 'place-order',
        DYNAMODB_ENDPOINT: endpoint,
        ...(tls && { NODE_EXTRA_CA_CERTS: certificate }),
        ...(startables[name].compileCache && { NODE_COMPILE_CACHE: join(folder, `${name}-code`) }),
      },
    }));
  } finally {
    close();
    process.removeListener('exit', clean);
    clean();
  }
}

/** Starts each of them in a fresh process, in turn, `runs` times. */
export async function startAll<Name extends string>(
  startables: Readonly<Record<Name, Startable>>,
  runs: number,
  progress: (text: string) => void,
): Promise<Record<Name, Start[]>> {
  const names = Object.keys(startables) as Name[];
  const starts = Object.fromEntries(names.map((name) => [name, [] as Start[]])) as Record<Name, Start[]>;
  return withBundles(startables, { tls: true }, async (started) => {
    for (let run = -1; run < runs; run++) {
      if (run % 10 === 0) progress(`run ${run + 1} of ${runs}`);
      for (const name of names) {
        const start = await startOnce(started(name));
        // The first one finds no file in the system's cache, and no code in that of V8.
        if (run >= 0) starts[name].push(start);
      }
    }
    return starts;
  });
}

async function startOnce({ file, environment }: Started): Promise<Start> {
  const child = fork(CHILD, [file, JSON.stringify(httpEvent('key'))], { env: environment, execArgv: [] });
  const kill = () => child.kill('SIGKILL');
  // Before the bundle is removed that it may be importing.
  process.prependOnceListener('exit', kill);
  const [answer] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  process.removeListener('exit', kill);
  if (typeof answer !== 'object' || answer === null) throw new Error('a process has ended without an answer');
  if (child.exitCode === null) await once(child, 'exit');
  return answer as Start;
}
