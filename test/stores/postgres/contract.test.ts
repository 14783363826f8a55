import { PGlite } from '@electric-sql/pglite';
import { postgresSchema, postgresStore } from 'middy-idempotency/postgres';
import postgres from 'postgres';
import { afterAll, beforeAll, inject } from 'vitest';
import { usePool, useSqlTable } from '../../support/sql-table.ts';
import { describeStore } from '../conformance.ts';

const { pool, tableName, effects } = useSqlTable();

interface Query {
  query(text: string, values: string[]): Promise<unknown>;
}

const probeOn = (all: Query, table: string) => ({
  write: (name: string) => (tx: Query) => tx.query(`insert into ${table} values ($1)`, [name]),
  refused: () => (tx: Query) => tx.query(`insert into ${table} values (null)`, []),
  isWritten: async (name: string) => {
    const answer = await all.query(`select 1 from ${table} where name = $1`, [name]);
    return (answer as { rows: unknown[] }).rows.length === 1;
  },
});

describeStore('PostgreSQL through pg', () => postgresStore({ client: pool, tableName }), {
  transactions: probeOn(pool, effects) as never,
});

const serializable = usePool({ options: '-c default_transaction_isolation=serializable' });
describeStore(
  'PostgreSQL where every transaction is serializable',
  () => postgresStore({ client: serializable, tableName }),
  {
    transactions: probeOn(serializable, effects) as never,
  },
);

const sql = postgres(inject('postgresUrl'), { max: 20, onnotice: () => undefined });
afterAll(() => sql.end());
describeStore('PostgreSQL through postgres', () => postgresStore({ client: sql, tableName }), {
  transactions: {
    write: (name) => (tx) => tx.unsafe(`insert into ${effects} values ($1)`, [name]),
    refused: () => (tx) => tx.unsafe(`insert into ${effects} values (null)`),
    isWritten: async (name) => (await sql.unsafe(`select 1 from ${effects} where name = $1`, [name])).length === 1,
  },
});

const lite = new PGlite();
beforeAll(async () => {
  await lite.exec(postgresSchema());
  await lite.exec('create table effects (name text not null)');
});
afterAll(() => lite.close());
describeStore('PGlite', () => postgresStore({ client: lite }), {
  transactions: probeOn(lite as unknown as Query, 'effects') as never,
});
