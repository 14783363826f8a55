import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CloneLine } from '../support/clone.ts';
import { useTable } from '../support/table.ts';

const table = useTable();
const pathOf = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
let folder = '';

/** One snapshot of a process that has served a request (Node.js: "Startup Snapshot"). */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clones-'));
  await build({
    entryPoints: [pathOf('test/support/clone.ts')],
    outfile: join(folder, 'clone.cjs'),
    bundle: true,
    platform: 'node',
    format: 'iife',
    alias: {
      'middy-idempotency': pathOf('src/index.ts'),
      'middy-idempotency/memory': pathOf('src/stores/memory.ts'),
    },
  });
  const flags = ['--snapshot-blob', 'clone.blob', '--build-snapshot', 'clone.cjs'];
  await promisify(execFile)(process.execPath, flags, { cwd: folder });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

type Clone = ChildProcessByStdio<Writable, Readable, null>;

/** Starts a clone that handles this order, with the table for its store. Resolves with how that has ended. */
async function runClone(order: string): Promise<string> {
  const flags = ['--snapshot-blob', 'clone.blob', order];
  const clone: Clone = spawn(process.execPath, flags, { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
  const exited = once(clone, 'exit');
  const store = dynamoDBStore(table);
  let ended = 'it has said nothing';
  for await (const text of createInterface(clone.stdout)) {
    const line: CloneLine = JSON.parse(text);
    if ('ended' in line) {
      ended = line.ended;
      break;
    }
    // This one has claimed, and never ends: its outcome is not stored.
    if (line.verb === 'replace') {
      ended = 'executed';
      break;
    }
    const answer = await (store[line.verb] as (...args: readonly unknown[]) => Promise<unknown>)(...line.args);
    clone.stdin.write(`${JSON.stringify({ answer })}\n`);
  }
  clone.kill();
  await exited;
  return ended;
}

it('of two clones of one process, one executes while the other is told that it does', async () => {
  const order = randomUUID();
  const ends = await Promise.all([runClone(order), runClone(order)]);
  expect(ends.sort()).toEqual(['IN_FLIGHT', 'executed']);
});
