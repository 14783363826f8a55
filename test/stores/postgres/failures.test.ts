import { randomUUID } from 'node:crypto';
import { IdempotencyError, type InProgressRecord, idempotent } from 'middy-idempotency';
import { postgresSchema, postgresStore } from 'middy-idempotency/postgres';
import pg from 'pg';
import postgres from 'postgres';
import { afterAll, describe, expect, inject, it, vi } from 'vitest';
import { freePort } from '../../../tools/dynamodb-local.ts';
import { thrownBy } from '../../support/harness.ts';
import { useSql } from '../../support/sql-harness.ts';

const sql = useSql();
const { pool, tableName, proxy } = sql;

const record = (): InProgressRecord => ({
  id: `op#${randomUUID()}`,
  status: 'IN_PROGRESS',
  owner: 'me',
  attempt: 1,
  leaseUntil: 2_400_000_000_000,
  expiration: 2_500_000_000,
});

/** Guards a function with the client: what a caller gets, and whether the function ran. */
async function refusalOf(client: pg.Pool, options: { tableName?: string; schema?: string } = { tableName }) {
  const charge = vi.fn(async () => 'charged');
  const store = postgresStore({ client, ...options });
  const error = await thrownBy(idempotent(charge, { store, key: () => '1', operation: 'test', warnings: false })());
  expect(charge).not.toHaveBeenCalled();
  expect(error).toBeInstanceOf(IdempotencyError);
  return error as IdempotencyError;
}

const url = (changes: Partial<Record<'password' | 'pathname' | 'port' | 'username', string>>) => {
  const changed = Object.assign(new URL(inject('postgresUrl')), changes);
  return changed.href;
};

const pools: pg.Pool[] = [];
afterAll(() => Promise.all(pools.map((each) => each.end())));
const poolOf = (config: pg.PoolConfig) => {
  const made = new pg.Pool(config);
  made.on('error', () => undefined);
  pools.push(made);
  return made;
};

describe('a database that cannot be used is STORE_UNAVAILABLE, with advice, and nothing is executed', () => {
  it.each([
    ['a wrong password', 'Correct the role and the password', false, () => url({ password: 'wrong-secret' })],
    ['a role that is not there', 'Correct the role and the password', false, () => url({ username: 'nobody' })],
    ['a database that is not there', 'Create the database', false, () => url({ pathname: '/nowhere' })],
  ])('%s', async (_, advice, retryable, connectionString) => {
    const error = await refusalOf(poolOf({ connectionString: connectionString() }));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable, unanswered: undefined });
    expect(error.advice).toContain(advice);
    const whole = JSON.stringify([error, error.message, error.stack, error.advice, String(error.cause)]);
    expect(whole).not.toContain('wrong-secret');
    expect(whole).not.toContain(new URL(inject('postgresUrl')).password);
  });

  it('for idempotentTransaction, too: its work does not run', async () => {
    const work = vi.fn();
    const connectionString = url({ password: 'wrong-secret' });
    const errors = [];
    for (const store of [sql.storeOf(poolOf({ connectionString })), sql.storeOf(pool, { tableName: 'no_such_table' })])
      errors.push(await thrownBy(sql.transaction(work, { store })({ id: '1', amount: 1 })));
    expect(work).not.toHaveBeenCalled();
    expect(errors).toMatchObject(Array(2).fill({ code: 'STORE_UNAVAILABLE', retryable: false }));
    expect(JSON.stringify(errors)).not.toContain('wrong-secret');
  });

  it('a server that is not there: no answer, which a retry may get', async () => {
    const error = await refusalOf(poolOf({ connectionString: url({ port: String(await freePort()) }) }));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: true });
    expect(error.advice).toContain('host, port and security groups');
  });

  it('a server without TLS, where the client wants it', async () => {
    const error = await refusalOf(poolOf({ connectionString: inject('postgresUrl'), ssl: true }));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
    expect(error.advice).toContain('`ssl`');
  });

  it('a table that is not there, or has other columns', async () => {
    for (const options of [{ tableName: 'no_such_table' }, { tableName, schema: 'no_such_schema' }]) {
      const error = await refusalOf(pool, options);
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
      expect(error.advice).toContain('npx middy-idempotency schema postgres');
    }
    const other = `other ${randomUUID()}`;
    await pool.query(`create table "${other}" (id text primary key)`);
    expect((await refusalOf(pool, { tableName: other })).advice).toContain('other columns');
    await pool.query(`drop table "${other}"`);
  });

  it('a role without permission: the advice names the grants', async () => {
    await pool.query(`create role reader login password 'reader'`);
    const error = await refusalOf(poolOf({ connectionString: url({ username: 'reader', password: 'reader' }) }));
    await pool.query('drop role reader');
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
    expect(error.advice).toContain('SELECT, INSERT, UPDATE and DELETE');
  });

  it('a database that is read-only, as a replica is: a retry may meet the primary', async () => {
    const error = await refusalOf(
      poolOf({ connectionString: inject('postgresUrl'), options: '-c default_transaction_read_only=on' }),
    );
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: undefined });
    expect(error.advice).toContain('primary');
  });

  it('a pool without a free connection', async () => {
    const small = poolOf({ connectionString: inject('postgresUrl'), max: 1 });
    const held = await small.connect();
    small.options.connectionTimeoutMillis = 50;
    const error = await refusalOf(small);
    held.release();
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: undefined });
    expect(error.advice).toContain('no free connection');
  });

  it('a statement that takes too long: nothing of it was written', async () => {
    const impatient = poolOf({ connectionString: inject('postgresUrl'), options: '-c statement_timeout=50' });
    const held = await pool.connect();
    await held.query(`begin; lock table "${tableName}" in access exclusive mode`);
    const error = await refusalOf(impatient);
    await held.query('rollback');
    held.release();
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: undefined });
    expect(error.advice).toContain('statement_timeout');
  });

  it('a client that has been closed', async () => {
    const closed = new pg.Pool({ connectionString: inject('postgresUrl') });
    await closed.end();
    expect(await refusalOf(closed)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
  });

  it('the same through postgres', async () => {
    const answers = [];
    for (const broken of [url({ password: 'wrong-secret' }), url({ port: String(await freePort()) })]) {
      const client = postgres(broken, { max: 1 });
      answers.push(await thrownBy(postgresStore({ client, tableName }).insert(record())));
      await client.end();
    }
    expect(answers).toMatchObject([
      { code: 'STORE_UNAVAILABLE', retryable: false },
      { code: 'STORE_UNAVAILABLE', retryable: true, unanswered: true },
    ]);
    expect(JSON.stringify(answers)).not.toContain('wrong-secret');
  });
});

describe('a claim whose answer is lost', () => {
  it('is taken back, or is recognised as its own when it is sent again', async () => {
    let faults = 1;
    proxy.decide = (sent) => (sent.includes('insert into') && faults-- > 0 ? 'cut answer' : 'pass');
    const store = sql.storeOf(sql.throughProxy());
    const charge = idempotent(async (id: string) => id, { store, key: (id) => id, operation: 'test', warnings: false });
    const id = randomUUID();
    expect(await thrownBy(charge(id))).toMatchObject({ code: 'STORE_UNAVAILABLE', unanswered: true });
    expect(await charge(id)).toBe(id);
  });
});

describe('an error that PostgreSQL raises against the data', () => {
  it('of a zero byte in a record is a refusal of that record', async () => {
    const error = await thrownBy(sql.storeOf(pool).insert({ ...record(), id: 'a\0b' }));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false, recordRefused: true });
  });

  it('of a row that is no record is RECORD_INVALID, never an execution', async () => {
    const store = sql.storeOf(pool);
    const broken = [
      ['checkpoints', "'{'"],
      ['checkpoints', `'{"a":1}'`],
      ['lease_until', 'null'],
      ['attempt', '0'],
      ['expiration', '9223372036854775807'],
    ];
    for (const [column, value] of broken) {
      const written = record();
      await store.insert(written);
      await pool.query(`update "${tableName}" set ${column} = ${value} where id = $1`, [written.id]);
      expect(await thrownBy(store.read(written.id))).toMatchObject({ code: 'RECORD_INVALID' });
      expect(await thrownBy(store.insert(written))).toMatchObject({ code: 'RECORD_INVALID' });
    }
  });

  it('of an outcome that cannot be read is done work: it is not executed again', async () => {
    const store = sql.storeOf(pool);
    const written = record();
    await store.insert(written);
    await pool.query(`update "${tableName}" set status = 'COMPLETED' where id = $1`, [written.id]);
    expect(await store.read(written.id)).toMatchObject({ status: 'COMPLETED', outcome: { type: 'NOT_REPLAYABLE' } });
  });
});

describe('names of tables and schemas', () => {
  it.each(['a"b', '"; drop table x; --', "o'hara", 'ünï cödé', 'select', 'x'.repeat(63), '$1', '%s'])(
    'are names, whatever is written in them: %s',
    async (name) => {
      const schema = `${name.slice(0, 20)} ${randomUUID()}`.slice(0, 60);
      const quoted = `"${schema.replaceAll('"', '""')}"`;
      await pool.query(`create schema ${quoted}`);
      for (const _ of [1, 2]) await pool.query(postgresSchema({ tableName: name, schema }));
      const store = postgresStore({ client: pool, tableName: name, schema });
      const written = record();
      expect(await store.insert(written)).toEqual({ done: true });
      expect(await store.read(written.id)).toEqual(written);
      await pool.query(`drop schema ${quoted} cascade`);
    },
  );
});

describe('wrong options', () => {
  it.each([
    ['client', { client: undefined }],
    ['client', { client: {} }],
    ['client', { client: 'postgres://localhost' }],
    ['client', { client: new pg.Client() }],
    ['tableName', { client: pool, tableName: '' }],
    ['tableName', { client: pool, tableName: 'a\0' }],
    ['tableName', { client: pool, tableName: 'x'.repeat(64) }],
    ['schema', { client: pool, schema: '' }],
    ['lockTimeoutMillis', { client: pool, lockTimeoutMillis: 0 }],
    ['table', { client: pool, table: 'x' }],
  ])('are refused at construction, naming %s', (option, options) => {
    expect(() => postgresStore(options as never)).toThrow(`option \`${option}\``);
  });
});

describe('purgeExpired', () => {
  it('deletes in batches what is an hour past its retention, and nothing else', async () => {
    const own = `purge ${randomUUID()}`;
    await pool.query(postgresSchema({ tableName: own }));
    const store = postgresStore({ client: pool, tableName: own });
    const now = Math.floor(Date.now() / 1000);
    const ages = [-7200, -3700, -3700, -3500, -10, 100];
    await Promise.all(ages.map((age) => store.insert({ ...record(), expiration: now + age })));
    expect(await store.purgeExpired({ batchSize: 1, maxBatches: 2 })).toBe(2);
    expect(await store.purgeExpired({ batchSize: 2 })).toBe(1);
    const { rows } = await pool.query(`select count(*)::int as left from "${own}"`);
    expect(rows).toEqual([{ left: 3 }]);
    await expect(store.purgeExpired({ batchSize: 0 })).rejects.toThrow('option `batchSize`');
    await pool.query(`drop table "${own}"`);
  });
});

it('sets no time limit of its own on what else the session does', async () => {
  const single = usePoolOfOne();
  await postgresStore({ client: single, tableName }).insert(record());
  expect((await single.query('show lock_timeout')).rows).toEqual([{ lock_timeout: '0' }]);
});

function usePoolOfOne() {
  return poolOf({ connectionString: inject('postgresUrl'), max: 1 });
}
