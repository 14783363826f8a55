import { Cluster } from 'ioredis';
import { Redis as Valkey } from 'iovalkey';
import { redisStore } from 'middy-idempotency/redis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe } from 'vitest';
import { HAS_REDIS, useRedis } from '../../support/redis.ts';
import { describeStore } from '../conformance.ts';

describe.skipIf(!HAS_REDIS)('a server', () => {
  const redis = useRedis();
  let valkey: Valkey;
  let node: ReturnType<typeof createClient>;
  beforeAll(async () => {
    valkey = new Valkey({ port: redis.server.port, host: '127.0.0.1' });
    node = createClient({ url: redis.server.url });
    await node.connect();
  });
  afterAll(() => {
    valkey?.disconnect();
    node?.destroy();
  });
  describeStore('Redis through ioredis', () => redisStore({ client: redis.client }));
  describeStore('Redis through iovalkey', () => redisStore({ client: valkey }));
  describeStore('Redis through redis', () => redisStore({ client: node, keyPrefix: 'node:' }));
});

describe.skipIf(!HAS_REDIS)('a cluster of one node', () => {
  const redis = useRedis(['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
  let cluster: Cluster;
  beforeAll(async () => {
    await redis.client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383').catch(() => addSlots());
    cluster = new Cluster([{ port: redis.server.port, host: '127.0.0.1' }]);
  });
  afterAll(() => cluster?.disconnect());
  /** Before Redis 7, slots have no ranges. */
  const addSlots = () => redis.client.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot));
  describeStore('a cluster of Redis through ioredis', () => redisStore({ client: cluster }));
});
