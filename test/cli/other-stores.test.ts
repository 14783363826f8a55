import { randomUUID } from 'node:crypto';
import { idempotent } from 'middy-idempotency';
import { recordId } from 'middy-idempotency/operator';
import { postgresStore } from 'middy-idempotency/postgres';
import { redisStore } from 'middy-idempotency/redis';
import { describe, expect, inject, it } from 'vitest';
import { thrownBy } from '../support/harness.ts';
import { HAS_REDIS, useRedis } from '../support/redis.ts';
import { useSqlTable } from '../support/sql-table.ts';
import { command } from './command.ts';

const options = { key: (id: string) => id, operation: 'charge', warnings: false } as const;
const idOf = (key: string) => recordId({ operation: 'charge', key: (id: string) => id, event: key }) ?? '';

describe('the commands for PostgreSQL', () => {
  const { pool, tableName } = useSqlTable();
  const given = ['--store', 'postgres', '--table', tableName];
  const environment = () => ({ DATABASE_URL: inject('postgresUrl') });

  it('show, complete and release a record', async () => {
    const store = postgresStore({ client: pool, tableName });
    const [done, open] = [randomUUID(), randomUUID()];
    await idempotent(async (id: string) => id, { ...options, store })(done);
    const shown = await command(['show', idOf(done), ...given, '--outcome'], { environment: environment() });
    expect(shown).toMatchObject({ exitCode: 0, out: expect.stringContaining(done) });
    const failing = async (_: string): Promise<string> => Promise.reject(new Error('?'));
    await thrownBy(idempotent(failing, { ...options, store, settle: () => 'hold' })(open));
    const owner = (await store.read(idOf(open)))?.owner ?? '';
    const args = ['complete', idOf(open), ...given, '--no-response', '--yes', '--force', owner];
    const completed = await command([...args, '--url', inject('postgresUrl')]);
    expect(completed).toMatchObject({ exitCode: 0 });
    expect(await store.read(idOf(open))).toMatchObject({ status: 'COMPLETED' });
  });

  it('say what is wrong, and never the password', async () => {
    const url = new URL(inject('postgresUrl'));
    url.password = 'wrong-secret';
    const ended = await command(['show', 'x', ...given, '--url', url.href]);
    expect(ended).toMatchObject({ exitCode: 1, told: expect.stringContaining('password') });
    expect(ended.told + ended.out).not.toContain('wrong-secret');
    for (const args of [
      ['--store', 'sql'],
      ['--store', 'postgres', '--url', 'no-url-wrong-secret'],
      ['--store', 'redis'],
    ]) {
      const refused = await command(['show', 'x', ...args], {
        environment: { DATABASE_URL: undefined, REDIS_URL: undefined },
      });
      expect(refused.exitCode).toBe(2);
      expect(refused.told).not.toContain('wrong-secret');
    }
  });

  it('print the table, which PostgreSQL takes', async () => {
    const name = `printed ${randomUUID()}`;
    const { exitCode, out } = await command(['schema', 'postgres', '--table', name]);
    expect(exitCode).toBe(0);
    await pool.query(out);
    await pool.query(`drop table "${name}"`);
    expect((await command(['schema', 'mysql'])).exitCode).toBe(2);
  });
});

describe.skipIf(!HAS_REDIS)('the commands for Redis', () => {
  const redis = useRedis();

  it('show a record', async () => {
    const key = randomUUID();
    await idempotent(async (id: string) => id, {
      ...options,
      store: redisStore({ client: redis.client, keyPrefix: 'mine:' }),
    })(key);
    const args = [
      'show',
      idOf(key),
      '--store',
      'redis',
      '--url',
      redis.server.url,
      '--key-prefix',
      'mine:',
      '--outcome',
    ];
    expect(await command(args)).toMatchObject({ exitCode: 0, out: expect.stringContaining(key) });
    expect(await command(['show', 'absent', ...args.slice(2)])).toMatchObject({ exitCode: 3 });
  });
});
