import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CERTIFICATE } from '../tools/loopback-tls.ts';
import type { Item } from './instant-client.ts';

export const SIDES = [
  'bare Middy',
  'bare requests',
  'bare SDK',
  'bare SDK, our conditions',
  'ours',
  'lite',
  'peer',
  'one transaction, lite',
  'peer and a put',
] as const;

export type SideName = (typeof SIDES)[number];

/** What a process of one side measures. */
export interface SideSpec {
  readonly side: SideName;
  readonly tableName: string;
  /** Where DynamoDB is; without it, a real client has an answer at once, and no network. */
  readonly endpoint?: string;
  /** Without an endpoint: whether all of the client is left out. @default false */
  readonly withoutClient?: boolean;
  /** Without an endpoint: the item that is in the way of every request. @default none */
  readonly existing?: Item;
  /** What bare clients write: with one, it is put where it already is. */
  readonly items?: readonly Item[];
  /** Of a response, roughly. @default that of a small one */
  readonly responseBytes?: number;
  /** Of a request, roughly. @default that of a small one */
  readonly requestBytes?: number;
  /** Where a transaction, or a handler itself, puts an order. */
  readonly orders?: string;
}

/** Calls with the keys `<keys>-<from>`, `<keys>-<from + 1>` and so on. */
export interface Calls {
  readonly keys: string;
  readonly from: number;
  readonly count: number;
}

export interface Measured {
  /** CPU of a call, of all threads of the process. */
  readonly micros: number;
  /** Of each call, until its answer. */
  readonly millis: readonly number[];
}

export interface Side {
  /** In turn, and not at the same time. */
  call(calls: Calls): Promise<Measured>;
}

const PROCESS = fileURLToPath(new URL('side-process.ts', import.meta.url));

/** Each side in a process of its own: what one side has the compiler do must not be the other one's gain. */
export async function withSides<Name extends string, T>(
  specs: Readonly<Record<Name, SideSpec>>,
  measure: (sides: Readonly<Record<Name, Side>>) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const certificate = join(folder, 'certificate.pem');
  writeFileSync(certificate, CERTIFICATE);
  const children: ChildProcess[] = [];
  try {
    const sides: [string, Side][] = [];
    for (const [name, spec] of Object.entries<SideSpec>(specs)) {
      const child = fork(PROCESS, {
        env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
        serialization: 'advanced',
      });
      children.push(child);
      await ask(child, spec);
      sides.push([name, { call: (calls) => ask(child, calls) as Promise<Measured> }]);
    }
    return await measure(Object.fromEntries(sides) as Record<Name, Side>);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function ask(child: ChildProcess, question: SideSpec | Calls): Promise<unknown> {
  const listening = new AbortController();
  const { signal } = listening;
  try {
    child.send(question);
    const [answer] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(() => {
        throw new Error(`The process of a side has ended: ${JSON.stringify(question)}`);
      }),
    ]);
    return answer;
  } finally {
    listening.abort();
  }
}
