import { Redis } from 'ioredis';
import { afterAll, beforeAll } from 'vitest';
import { type LocalRedis, startRedis } from '../../tools/redis.ts';
import { HAS_REDIS } from './redis.ts';

const SLOTS = 16_384;
const MASTERS = 3;
const SETTINGS = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'];

export interface RedisCluster {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  /** A client of each master. */
  readonly clients: readonly Redis[];
}

/** A cluster of three masters of this test file's own. */
export function useRedisCluster(): RedisCluster {
  const cluster = {} as { nodes: RedisCluster['nodes']; clients: Redis[]; servers: LocalRedis[] };
  beforeAll(async () => {
    if (!HAS_REDIS) return;
    cluster.servers = await Promise.all(Array.from({ length: MASTERS }, () => startRedis(SETTINGS)));
    cluster.nodes = cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    cluster.clients = cluster.nodes.map((node) => new Redis(node));
    await Promise.all(cluster.clients.map(join));
    await Promise.all(cluster.clients.map(untilWhole));
  });
  afterAll(async () => {
    for (const client of cluster.clients ?? []) client.disconnect();
    await Promise.all((cluster.servers ?? []).map((server) => server.stop()));
  });
  return cluster;

  async function join(client: Redis, index: number): Promise<void> {
    const size = Math.ceil(SLOTS / MASTERS);
    const slots = Array.from({ length: SLOTS }, (_, slot) => slot).slice(index * size, (index + 1) * size);
    await client.call('CLUSTER', 'ADDSLOTS', ...slots);
    for (const { host, port } of cluster.nodes) await client.call('CLUSTER', 'MEET', host, port);
  }
}

async function untilWhole(client: Redis): Promise<void> {
  for (;;) {
    const info = String(await client.call('CLUSTER', 'INFO'));
    if (info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS}`)) return;
  }
}
