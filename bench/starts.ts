import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CERTIFICATE, KEY } from '../tools/loopback-tls.ts';
import { httpEvent } from './event.ts';

const CHILD = fileURLToPath(new URL('cold-start-child.mjs', import.meta.url));

/** A bundle, and how it is to be started. */
export interface Startable {
  readonly code: string;
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

/** Starts each of them in a fresh process, in turn, `runs` times. `tls`: DynamoDB is reached by HTTPS, as in Lambda. */
export async function startAll<Name extends string>(
  startables: Readonly<Record<Name, Startable>>,
  runs: number,
  { tls = false } = {},
): Promise<Record<Name, Start[]>> {
  const names = Object.keys(startables) as Name[];
  // Beside node_modules, so that an external SDK is found.
  const cache = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'cold-start-'));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  const { endpoint, close } = await instantServer(tls);
  const starts = Object.fromEntries(names.map((name) => [name, [] as Start[]])) as Record<Name, Start[]>;
  try {
    writeFileSync(join(folder, 'certificate.pem'), CERTIFICATE);
    for (const name of names) writeFileSync(join(folder, `${name}.mjs`), startables[name].code);
    for (let run = -1; run < runs; run++) {
      for (const name of names) {
        const { compileCache = false } = startables[name];
        const trusted = tls ? { NODE_EXTRA_CA_CERTS: join(folder, 'certificate.pem') } : {};
        const environment = compileCache ? { NODE_COMPILE_CACHE: join(folder, `${name}-code`) } : {};
        const start = await startOnce(join(folder, `${name}.mjs`), {
          DYNAMODB_ENDPOINT: endpoint,
          ...trusted,
          ...environment,
        });
        // The first one finds no file in the system's cache, and no code in that of V8.
        if (run >= 0) starts[name].push(start);
      }
    }
  } finally {
    close();
    process.removeListener('exit', clean);
    clean();
  }
  return starts;
}

/** Says to every request that it was done. */
async function instantServer(tls: boolean) {
  const answer: RequestListener = (request, response) => {
    request.resume().on('end', () => response.setHeader('content-type', 'application/x-amz-json-1.0').end('{}'));
  };
  const server = tls ? createTlsServer({ key: KEY, cert: CERTIFICATE }, answer) : createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const endpoint = `${tls ? 'https' : 'http'}://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { endpoint, close };
}

async function startOnce(file: string, environment: Readonly<Record<string, string>>): Promise<Start> {
  const child = fork(CHILD, [file, JSON.stringify(httpEvent('key'))], {
    env: { PATH: process.env['PATH'], AWS_LAMBDA_FUNCTION_NAME: 'place-order', ...environment },
    execArgv: [],
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const [answer] = await Promise.race([once(child, 'message'), once(child, 'exit')]);
  process.removeListener('exit', kill);
  if (typeof answer !== 'object' || answer === null) throw new Error('a process has ended without an answer');
  if (child.exitCode === null) await once(child, 'exit');
  return answer as Start;
}
