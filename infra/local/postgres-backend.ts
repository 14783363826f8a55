import { readFile } from 'node:fs/promises';
import { postgresSchema, postgresStore, type SqlItem } from 'middy-idempotency/postgres';
import pg from 'pg';
import { startPostgres } from '../../tools/postgres.ts';
import { postgresLedger } from '../ledger/postgres-ledger.ts';
import { postgresPayments } from '../payments/postgres-payments.ts';
import { postgresPool } from '../postgres/pool.ts';
import { type Backend, type Log, type PipelineBackend, starting } from './backend.ts';
import { pollTable } from './outbox-source.ts';
import { lookAtPostgres } from './page/look-at-postgres.ts';

/** The example has a schema of its own, in a database that may have other tables. */
const SCHEMA = 'payments_example';
/** Many requests at once, on a machine that may be busy. */
const LIMITS = { max: 20, connectionTimeoutMillis: 10_000, statement_timeout: 10_000 };

/** PostgreSQL, the one of `POSTGRES_URL` or one of its own. */
export async function startPostgresBackend(log: Log): Promise<Backend<SqlItem<pg.PoolClient>>> {
  const given = process.env['POSTGRES_URL'];
  const first = given ? `Waiting for PostgreSQL at ${new URL(given).host}` : 'Starting PostgreSQL';
  const { url, stop, ...database } = await starting(log, 'PostgreSQL', first, () => startDatabase(given));
  return {
    ...database,
    tables: `idempotency (the records), payments, refunds, outbox and ledger, in the schema ${SCHEMA}`,
    killedPayments: new URL('killed/postgres-payments.ts', import.meta.url),
    show: (recordId) =>
      `DATABASE_URL='${url}' npx middy-idempotency show '${recordId}' --store postgres --table idempotency --schema ${SCHEMA}`,
    stop,
  };
}

async function startDatabase(given: string | undefined) {
  const { url, stop } = given ? { url: given, stop: async () => undefined } : await startPostgres();
  const endpoint = new URL(url).host;
  try {
    const { pool, ...database } = await openPostgres(url, SCHEMA);
    return { ...database, url, endpoint, look: lookAtPostgres(pool), stop: () => pool.end().then(stop) };
  } catch (cause) {
    await stop();
    const { message, code } = cause as pg.DatabaseError;
    throw new Error(`PostgreSQL at ${endpoint} has failed: ${message || code}`, { cause });
  }
}

/** The example in a schema. Makes the tables that are not there yet. */
export async function openPostgres(url: string, schema: string) {
  await ensureTables(url, schema);
  const here = new URL(url);
  here.searchParams.set('options', `-c search_path=${schema}`);
  const pool = postgresPool(here.href, LIMITS);
  const pipeline: PipelineBackend = {
    environment: { DATABASE_URL: here.href },
    publisher: new URL('../outbox/postgres-handler.ts', import.meta.url),
    consumer: new URL('../ledger/postgres-handler.ts', import.meta.url),
    pollOutbox: (options) => pollTable({ pool, ...options }),
  };
  return {
    pool,
    store: postgresStore({ client: pool }),
    payments: postgresPayments(pool),
    ledger: postgresLedger(pool),
    pipeline,
  };
}

async function ensureTables(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema}; SET search_path TO ${schema}`);
    await client.query(postgresSchema());
    await client.query(await readFile(new URL('../postgres/schema.sql', import.meta.url), 'utf8'));
  } finally {
    await client.end();
  }
}
