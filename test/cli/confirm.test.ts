import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import type { InProgressRecord } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { processTerminal } from '../../src/cli/terminal.ts';
import { useTable } from '../support/table.ts';
import { localEnvironment, MAIN, tableOptions } from './command.ts';

const table = useTable();
const store = dynamoDBStore(table);
const where = tableOptions(table.tableName);
Object.assign(process.env, localEnvironment());

async function left(leaseUntil = Date.UTC(2024, 0, 1)): Promise<InProgressRecord> {
  const base = { id: `pay#${randomUUID()}`, owner: randomUUID(), attempt: 2, expiration: Date.UTC(2040, 0, 1) / 1000 };
  const record: InProgressRecord = { ...base, status: 'IN_PROGRESS', leaseUntil };
  await store.insert(record);
  return record;
}

/** A person at the terminal, who gives this answer once the record has been shown. */
async function asked(args: readonly string[], answer: (shown: string) => Promise<string>) {
  let told = '';
  let out = '';
  const exitCode = await run([...args, ...where], {
    ...processTerminal(),
    out: (one) => {
      out += one;
    },
    tell: (one) => {
      told += one;
    },
    read: async () => '{"charged":true}',
    ask: (question) => answer(told + question),
  });
  return { exitCode, out, told };
}

const COMMANDS = [{ command: ['release'] }, { command: ['complete', '--response', 'response.json'] }];

describe.each(COMMANDS)('$command.0 at a terminal', ({ command }) => {
  it('shows the record first, and writes when the person says yes', async () => {
    const { id, owner } = await left();
    const seen: string[] = [];
    const answered = await asked([...command, id], async (shown) => {
      seen.push(shown);
      expect(await store.read(id)).toMatchObject({ owner, status: 'IN_PROGRESS' });
      return 'yes';
    });
    expect(answered.exitCode).toBe(0);
    expect(seen).toEqual([expect.stringMatching(new RegExp(`${id}.*outcome unknown.*Type yes: $`, 's'))]);
    expect(await store.read(id)).not.toMatchObject({ status: 'IN_PROGRESS' });
  });

  it.each(['', 'n', 'y', 'yes please'])('writes nothing for the answer "%s"', async (answer) => {
    const record = await left();
    const { exitCode, told } = await asked([...command, record.id], async () => answer);
    expect({ exitCode, told }).toEqual({ exitCode: 4, told: expect.stringContaining('NOT_CONFIRMED') });
    expect(await store.read(record.id)).toEqual(record);
  });

  it('writes nothing when the record has changed between its showing and the answer', async () => {
    const record = await left();
    const successor = { ...record, owner: 'successor', attempt: 3, leaseUntil: Date.UTC(2040, 0, 1) };
    const { exitCode, told } = await asked([...command, record.id], async () => {
      await store.replace(successor, record);
      return 'yes';
    });
    expect(exitCode).toBe(1);
    expect(told).toMatch(/RECORD_CHANGED.*owner +successor/s);
    expect(await store.read(record.id)).toEqual(successor);
  });

  it('does not ask about a live lease, and warns where its owner is overruled', async () => {
    const record = await left(Date.UTC(2040, 0, 1));
    const never = () => Promise.reject(new Error('it was asked'));
    expect(await asked([...command, record.id], never)).toMatchObject({ exitCode: 4 });
    const force = ['--force', record.owner];
    const { exitCode, told } = await asked([...command, record.id, ...force], async () => 'yes');
    expect({ exitCode, told }).toEqual({ exitCode: 0, told: expect.stringContaining('may be running') });
  });
});

const hasPseudoTerminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes('util-linux');

/** The real thing: a process at a pseudo-terminal (`script` of util-linux), and keys that are pressed at the question. */
async function typed(args: readonly string[], keys: string) {
  const line = [process.execPath, MAIN, ...args, ...where].map((part) => `'${part}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], { env: localEnvironment() });
  let seen = '';
  child.stdout.on('data', (chunk) => {
    seen += String(chunk);
    if (seen.includes('Type yes: ') && child.stdin.writable) child.stdin.end(keys);
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [exitCode] = await Promise.all([exited, text(child.stderr)]);
  return { exitCode, seen };
}

describe.runIf(hasPseudoTerminal)('at a real terminal', () => {
  it('yes and Enter write', async () => {
    const { id } = await left();
    expect(await typed(['release', id], 'yes\r')).toMatchObject({ exitCode: 0 });
    expect(await store.read(id)).toMatchObject({ status: 'RELEASED' });
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
    ['Enter', '\r'],
  ])('%s writes nothing', async (_, keys) => {
    const record = await left();
    const { exitCode, seen } = await typed(['release', record.id], keys);
    expect({ exitCode, seen }).toEqual({ exitCode: 4, seen: expect.stringContaining('NOT_CONFIRMED') });
    expect(await store.read(record.id)).toEqual(record);
  });
});
