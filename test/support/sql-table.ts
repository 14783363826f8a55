import { randomUUID } from 'node:crypto';
import { postgresSchema } from 'middy-idempotency/postgres';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';

/** Connections to PostgreSQL of this test file's own, closed after its tests. */
export function usePool(config: pg.PoolConfig = {}): pg.Pool {
  const pool = new pg.Pool({ connectionString: inject('postgresUrl'), max: 30, ...config });
  pool.on('error', () => undefined);
  afterAll(() => pool.end());
  return pool;
}

/** A table of this test file's own, and one for effects: `effects(name text)`. Made before its tests and dropped after them. */
export function useSqlTable(): { readonly pool: pg.Pool; readonly tableName: string; readonly effects: string } {
  const pool = usePool();
  const tableName = `test ${randomUUID()}`;
  const effects = `"effects ${randomUUID()}"`;
  beforeAll(async () => {
    await pool.query(postgresSchema({ tableName }));
    await pool.query(`create table ${effects} (name text not null)`);
  });
  afterAll(() => pool.query(`drop table "${tableName}", ${effects}`));
  return { pool, tableName, effects };
}
