import { Cluster, type Redis } from 'ioredis';
import { Redis as Valkey, Cluster as ValkeyCluster } from 'iovalkey';
import { redisStore } from 'middy-idempotency/redis';
import { createClient, createCluster } from 'redis';
import { createClient as createClient5 } from 'redis5';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { thrownBy } from '../../support/harness.ts';
import { HAS_REDIS, useRedis } from '../../support/redis.ts';
import { useRedisCluster } from '../../support/redis-cluster.ts';
import { describeStore } from '../conformance.ts';

describe.skipIf(!HAS_REDIS)('a server', () => {
  const redis = useRedis();
  let valkey: Valkey;
  let node: ReturnType<typeof createClient>;
  let node5: ReturnType<typeof createClient5>;
  beforeAll(async () => {
    valkey = new Valkey({ port: redis.server.port, host: '127.0.0.1' });
    node = createClient({ url: redis.server.url });
    await node.connect();
    node5 = createClient5({ url: redis.server.url });
    await node5.connect();
  });
  afterAll(() => {
    valkey?.disconnect();
    node?.destroy();
    node5?.destroy();
  });
  describeStore('Redis through ioredis', () => redisStore({ client: redis.client }));
  describeStore('Redis through iovalkey', () => redisStore({ client: valkey }));
  describeStore('Redis through redis 6', () => redisStore({ client: node, keyPrefix: 'node:' }));
  describeStore('Redis through redis 5', () => redisStore({ client: node5, keyPrefix: 'node5:' }));
});

describe.skipIf(!HAS_REDIS)('a cluster of three masters', () => {
  const cluster = useRedisCluster();
  let redis: Cluster;
  let valkey: ValkeyCluster;
  let node: ReturnType<typeof createCluster>;
  beforeAll(async () => {
    redis = new Cluster([...cluster.nodes]);
    valkey = new ValkeyCluster([...cluster.nodes]);
    node = createCluster({ rootNodes: cluster.nodes.map((socket) => ({ socket })) });
    await node.connect();
  });
  afterAll(() => {
    redis?.disconnect();
    valkey?.disconnect();
    node?.destroy();
  });
  describeStore('a cluster through ioredis', () => redisStore({ client: redis }));
  describeStore('a cluster through iovalkey', () => redisStore({ client: valkey, keyPrefix: 'valkey:' }));
  describeStore('a cluster through redis', () => redisStore({ client: node, keyPrefix: 'node:' }));

  it('is refused with advice where the client is not one for clusters', async () => {
    const [client] = cluster.clients;
    const store = redisStore({ client: client as Redis });
    const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => thrownBy(store.read(`op#${n}`))));
    const moved = answers.find((answer) => answer !== undefined);
    expect(moved).toMatchObject({ code: 'STORE_UNAVAILABLE', advice: expect.stringContaining('client for clusters') });
  });

  it('has records on every master', async () => {
    const sizes = await Promise.all(cluster.clients.map((client) => client.dbsize()));
    expect(Math.min(...sizes)).toBeGreaterThan(0);
  });

  it.each(['ioredis', 'iovalkey', 'redis'])(
    'is refused through %s when one of them may evict records',
    async (name) => {
      const [one] = cluster.clients;
      await one?.config('SET', 'maxmemory', '100mb');
      await one?.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const client = { ioredis: redis, iovalkey: valkey, redis: node }[name] as Cluster;
      const error = await thrownBy(redisStore({ client }).read('op#1'));
      await one?.config('SET', 'maxmemory-policy', 'noeviction');
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', advice: expect.stringContaining('allkeys-lru') });
    },
  );
});
