import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { findRedis, type LocalRedis, REDIS_MISSING, startRedis } from '../../tools/redis.ts';

/** Whether there is a Redis. Tests that need it are skipped where there is none. */
export const HAS_REDIS = findRedis() !== undefined;
if (!HAS_REDIS) console.warn(REDIS_MISSING);

/** A Redis of this test file's own. */
export function useRedis(settings: readonly string[] = []): { readonly server: LocalRedis; readonly client: Redis } {
  const redis = {} as { server: LocalRedis; client: Redis };
  beforeAll(async () => {
    if (!HAS_REDIS) return;
    redis.server = await startRedis(settings);
    redis.client = clientOf(redis.server.port);
  });
  afterAll(async () => {
    redis.client?.disconnect();
    await redis.server?.stop();
  });
  return redis;
}

/** A client that gives up soon, and whose failures a test sees by its commands. */
export function clientOf(port: number, options: object = {}): Redis {
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 1, ...options });
  client.on('error', () => undefined);
  return client;
}
