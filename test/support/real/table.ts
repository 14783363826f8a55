import { randomUUID } from 'node:crypto';
import { postgresSchema, postgresStore } from 'middy-idempotency/postgres';
import { redisStore } from 'middy-idempotency/redis';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import type { RecordStore } from '../../../src/core/record/store.ts';
import { limited, localClient, needsDynamoDB, tables } from '../in-memory/limits.ts';
import { useRedis } from '../redis.ts';

export type { Client } from '../in-memory/limits.ts';
export { localClient, tables };

/** `test/support/table.ts` in PostgreSQL or in Redis, as `STORE` says: for the promises on every store. */
export function useTable() {
  const tableName = `test-${randomUUID()}`;
  const store = process.env['STORE'] === 'redis' ? inRedis(tableName) : inPostgres(tableName);
  tables.set(tableName, limited(store));
  return { tableName, client: { send: needsDynamoDB } };
}

function inPostgres(tableName: string): RecordStore {
  const client = new pg.Pool({ connectionString: inject('postgresUrl'), max: 10 });
  beforeAll(() => client.query(postgresSchema({ tableName })));
  afterAll(() => client.end());
  return postgresStore({ client, tableName }) as RecordStore;
}

function inRedis(tableName: string): RecordStore {
  const redis = useRedis();
  let made: RecordStore | undefined;
  const store = () => {
    made ??= redisStore({ client: redis.client, keyPrefix: `${tableName}:`, acknowledgeFailover: true });
    return made;
  };
  return {
    insert: (record) => store().insert(record),
    replace: (record, expected) => store().replace(record, expected),
    remove: (id, expected) => store().remove(id, expected),
    read: (id) => store().read(id),
  };
}
