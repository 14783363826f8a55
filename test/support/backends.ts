import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { RecordStore } from 'middy-idempotency';
import { postgresSchema, postgresStore } from 'middy-idempotency/postgres';
import { redisStore } from 'middy-idempotency/redis';
import pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { HAS_REDIS, useRedis } from './redis.ts';
import { type TcpProxy, useTcpProxy } from './tcp-proxy.ts';

/** A database that is no DynamoDB, behind a proxy that makes faults, for promises that need it to be real. */
export interface Backend {
  readonly proxy: TcpProxy;
  /** A store with a client of its own, which goes through the proxy. @param millis when it gives up. Default 300 */
  store(millis?: number): RecordStore;
  /** Whether this has a write with this text in its record. */
  isWrite(sent: Buffer, text: string): boolean;
  /** Takes from the user of the stores what it needs, or gives it back. */
  permit(isPermitted: boolean): Promise<unknown>;
}

const GIVE_UP_MILLIS = 300;
const PASSWORD = 'guard';

export function usePostgres(): Backend {
  const proxy = useTcpProxy(() => inject('postgresUrl'));
  const role = `guard_${randomUUID().replaceAll('-', '')}`;
  const tableName = `records ${role}`;
  const admin = new pg.Pool({ connectionString: inject('postgresUrl'), max: 1 });
  const pools: pg.Pool[] = [];
  const permit = (isPermitted: boolean) =>
    admin.query(
      isPermitted
        ? `grant select, insert, update, delete on "${tableName}" to ${role}`
        : `revoke all on "${tableName}" from ${role}`,
    );
  beforeAll(async () => {
    await admin.query(postgresSchema({ tableName }));
    await admin.query(`create role ${role} login password '${PASSWORD}'`);
    await permit(true);
  });
  afterAll(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await admin.query(`drop table "${tableName}"; drop role ${role}`);
    await admin.end();
  });
  return {
    proxy,
    permit,
    isWrite: (sent, text) => sent.includes('set_config') && sent.includes(text),
    store(millis = GIVE_UP_MILLIS) {
      const url = Object.assign(new URL(inject('postgresUrl')), {
        port: String(proxy.port),
        username: role,
        password: PASSWORD,
      });
      const limits = { connectionTimeoutMillis: millis, query_timeout: millis };
      const client = new pg.Pool({ connectionString: url.href, ...limits });
      client.on('error', () => undefined);
      pools.push(client);
      return postgresStore({ client, tableName }) as RecordStore;
    },
  };
}

export function useRedisBackend(): Backend {
  const redis = useRedis();
  const proxy = useTcpProxy(() => redis.server.url);
  const clients: Redis[] = [];
  const user = (...rules: string[]) => redis.client.call('ACL', 'SETUSER', 'guard', ...rules);
  beforeAll(async () => {
    if (HAS_REDIS) await user('on', `>${PASSWORD}`, '~*', '+@all');
  });
  afterAll(() => {
    for (const client of clients) client.disconnect();
  });
  return {
    proxy,
    permit: (isPermitted) => (isPermitted ? user('+@all') : user('-eval', '-evalsha')),
    isWrite: (sent, text) => sent.includes('eval') && sent.includes(text),
    store(millis = GIVE_UP_MILLIS) {
      // It sends again what got no answer, and says nothing of it.
      const client = new Redis({
        port: proxy.port,
        host: '127.0.0.1',
        username: 'guard',
        password: PASSWORD,
        commandTimeout: millis,
        maxRetriesPerRequest: 2,
        retryStrategy: () => 20,
      });
      client.on('error', () => undefined);
      clients.push(client);
      return redisStore({ client });
    },
  };
}
