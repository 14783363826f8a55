import { Redis } from 'ioredis';
import pg from 'pg';
import type { RecordStore } from '../../src/core/record/store.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { redisStore } from '../../src/stores/redis.ts';

/** The store of a server, by its URL, and how to close its client. */
export function storeAt(url: string): { readonly store: RecordStore; close(): Promise<unknown> } {
  if (url.startsWith('redis:')) {
    const client = new Redis(url);
    return { store: redisStore({ client }), close: () => client.quit() };
  }
  const client = new pg.Pool({ connectionString: url, max: 4 });
  return { store: postgresStore({ client }) as RecordStore, close: () => client.end() };
}
