import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { buildPackage, hasShell, paste, type Runner, runLine, startRunner } from './runner.ts';

beforeAll(buildPackage);

let runner: Runner | undefined;
let temporary: string;

beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'middy-idempotency-test-'));
  // PostgreSQL may run as another user.
  chmodSync(temporary, 0o755);
});
afterEach(async () => {
  runner?.child.kill();
  await runner?.exitCode;
  rmSync(temporary, { recursive: true });
});

function start(environment: NodeJS.ProcessEnv = {}, args: readonly string[] = []): Runner {
  runner = startRunner({ PORT: '0', PROCESSOR_LATENCY_MILLIS: '0', TMPDIR: temporary, ...environment }, [
    '--store',
    'postgres',
    ...args,
  ]);
  return runner;
}

const LAST_OF_ALL = /# Void it again: 204\ncurl .*\n/;

describe('npm start -- --store postgres', () => {
  it.skipIf(!hasShell)(
    'has the same lines and the same answers, books every payment once, and leaves nothing behind',
    {
      timeout: 60_000,
    },
    async () => {
      const { child, until, output, exitCode, pressControlC } = start({ POSTGRES_URL: undefined }, [
        '--duplicates',
        '1',
      ]);
      const [, port = ''] = await until(/PostgreSQL answers at 127\.0\.0\.1:(\d+)/);
      await until(LAST_OF_ALL);
      const lines = Array.from(output().matchAll(/^# (.*)\n(.*)$/gm), ([, title = '', line = '']) => ({ title, line }));
      const [pay, retry, , otherAmount, record, ledger, keep, ...rest] = lines.map(({ line }) => line);
      expect(await runLine(pay ?? '')).toEqual([{ statusCode: 201, body: expect.stringContaining('"succeeded"') }]);
      expect(await paste(retry ?? '')).toMatch(/^idempotent-replayed: true\r$/im);
      expect(await runLine(otherAmount ?? '')).toMatchObject([{ statusCode: 422 }]);
      expect(record).toMatch(/^DATABASE_URL='\S+' npx middy-idempotency show 'create-payment#\S+' --store postgres /);
      expect(await paste(record ?? '')).toMatch(/COMPLETED/);
      const seen: string[] = [];
      for (const line of rest) seen.push(String((await runLine(`${keep}\n${line}`))[0]?.statusCode));
      expect(seen).toEqual(['200', '304', '201', '201', '409', '412', '200', '201', '412', '204', '204']);

      // The payment, and its refund.
      await until(/(ledger: replayed book-payment-event#[\s\S]*?){2}/);
      expect(JSON.parse(await paste(ledger ?? ''))).toMatchObject({
        balances: { 'receivable EUR': 1499, 'sales EUR': -1499 },
        sum: 0,
        entries: [{}, {}, {}, {}],
        deadLetters: 0,
      });

      pressControlC();
      expect(await exitCode).toBe(0);
      expect(() => process.kill(-Number(child.pid), 0), 'a process is left').toThrow('ESRCH');
      const [error] = await once(connect(Number(port), '127.0.0.1'), 'error');
      expect(error).toMatchObject({ code: 'ECONNREFUSED' });
      expect(readdirSync(temporary)).toEqual([]);
    },
  );

  it('ends with Ctrl-C while PostgreSQL starts, and leaves nothing behind', async () => {
    const { until, exitCode, pressControlC, output } = start({ POSTGRES_URL: undefined });
    await until(/Starting PostgreSQL/);
    pressControlC();
    expect(await exitCode).toBe(0);
    expect(output()).toBe('Starting PostgreSQL\nStopping\n');
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('says why it cannot use the given database, without the password', async () => {
    const url = new URL(inject('postgresUrl'));
    url.password = 'hunter2';
    const { exitCode, output } = start({ POSTGRES_URL: url.href });
    expect(await exitCode).toBe(1);
    expect(output()).toMatch(/^PostgreSQL at 127\.0\.0\.1:\d+ has failed: password authentication failed/m);
    expect(output()).not.toContain('hunter2');
  });

  it('says in one line that POSTGRES_URL is no such URL, and that there is no such store', async () => {
    const wrongUrl = start({ POSTGRES_URL: 'mysql://me:hunter2@127.0.0.1/db' });
    expect(await wrongUrl.exitCode).toBe(1);
    expect(wrongUrl.output()).toMatch(/^POSTGRES_URL must be a URL such as \S+\n$/);
    expect(wrongUrl.output()).not.toContain('hunter2');
    const wrongStore = startRunner({ PORT: '0' }, ['--store', 'redis']);
    expect(await wrongStore.exitCode).toBe(2);
    expect(wrongStore.output()).toMatch(/^--store must be one of dynamodb, postgres, not 'redis'\n\nUsage/);
  });
});
