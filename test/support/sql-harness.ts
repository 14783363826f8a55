import { type PostgresStoreOptions, postgresStore } from 'middy-idempotency/postgres';
import pg from 'pg';
import { afterAll, inject } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { createSqlTransaction } from '../../src/stores/postgres/idempotent-transaction.ts';
import { useEvents } from './harness.ts';
import { useSqlTable } from './sql-table.ts';
import { useTcpProxy } from './tcp-proxy.ts';

export type Work = (tx: pg.PoolClient, context: { deriveKey(name: string): string }, ...args: never[]) => unknown;

/** A table of records, one of effects, a store behind a proxy that makes faults, and guarded transactions. */
export function useSql() {
  const table = useSqlTable();
  const { pool, tableName, effects } = table;
  const events = useEvents();
  const proxy = useTcpProxy(() => inject('postgresUrl'));
  const pools: pg.Pool[] = [];
  afterAll(() => Promise.all(pools.map((each) => each.end())));

  const throughProxy = (config: pg.PoolConfig = {}) => {
    const url = new URL(inject('postgresUrl'));
    url.port = String(proxy.port);
    const made = new pg.Pool({ connectionString: url.href, max: 20, ...config });
    made.on('error', () => undefined);
    pools.push(made);
    return made;
  };
  const storeOf = (client: pg.Pool, options: Partial<PostgresStoreOptions<pg.Pool>> = {}) =>
    postgresStore({ client, tableName, ...options });

  return {
    ...table,
    events,
    proxy,
    throughProxy,
    storeOf,
    /** A function whose work and record are one transaction. */
    transaction(work: Work, options: object = {}) {
      const common = { store: storeOf(pool), key: 'id', fingerprint: 'amount', operation: 'test', warnings: false };
      const onEvent = (event: (typeof events)[number]) => void events.push(event);
      return createSqlTransaction(work as never, { ...common, onEvent, ...options } as never, systemRuntime);
    },
    /** An effect: a row with this name. */
    write: (tx: pg.PoolClient, name: string) => tx.query(`insert into ${effects} values ($1)`, [name]),
    /** How often the effect is there. */
    async count(name: string): Promise<number> {
      const { rows } = await pool.query(`select count(*)::int as count from ${effects} where name = $1`, [name]);
      return rows[0].count;
    },
  };
}
