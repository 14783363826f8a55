import { randomUUID } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import type { InProgressRecord } from '../../src/core/record/record.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { listenHere } from '../../tools/loopback.ts';
import { startRedis } from '../../tools/redis.ts';

export interface Failover {
  /** Claims that the primary has confirmed to their callers. */
  readonly confirmed: number;
  /** Those of them that the new primary does not have: their work would run twice. */
  readonly lost: number;
}

const WRITERS = 50;
const CLAIMS_BEFORE_KILL = 5000;
const WAIT = { replicas: 1, timeoutMillis: 1000 };

/**
 * A primary with two replicas is killed while many claim. The replica that has read most is the new primary, as Redis Sentinel
 * chooses.
 */
export async function failover(isWaiting: boolean): Promise<Failover> {
  const primary = await startRedis();
  const link = await slowLink(primary.port);
  const replicas = await Promise.all([1, 2].map(() => startRedis(['--replicaof', '127.0.0.1', String(link.port)])));
  const watching = replicas.map(({ port }) => clientOf(port));
  // With WAIT, each writer has a connection of its own: it holds up all that comes behind it.
  const writing = Array.from({ length: WRITERS }, () => clientOf(primary.port));
  try {
    for (const client of watching) await untilLinked(client);
    const confirmed: string[] = [];
    let isDown = false;
    let killing: Promise<void> | undefined;
    const claiming = async (client: Redis) => {
      const store = redisStore({ client, ...(isWaiting && { waitForReplicas: WAIT }) });
      while (!isDown) {
        const record = claim();
        try {
          if ((await store.insert(record)).done) confirmed.push(record.id);
        } catch {
          // Without an answer, nothing was confirmed.
          return;
        }
        if (confirmed.length >= CLAIMS_BEFORE_KILL) {
          isDown = true;
          // The machine fails, and what it had not sent yet never arrives.
          link.cut();
          killing ??= primary.kill();
        }
      }
    };
    await Promise.all(writing.map(claiming));
    await killing;
    const successor = await furthest(watching);
    await successor.replicaof('NO', 'ONE');
    const there = await Promise.all(confirmed.map((id) => successor.exists(`idempotency:{${id}}`)));
    return { confirmed: confirmed.length, lost: there.filter((count) => count === 0).length };
  } finally {
    for (const client of [...watching, ...writing]) client.disconnect();
    await Promise.all([primary, ...replicas].map((server) => server.stop()));
    link.close();
  }
}

/** As between two zones of a region. Milliseconds. */
const LINK_MILLIS = 2;

/** What the primary sends to its replicas arrives later. */
async function slowLink(primary: number): Promise<{ readonly port: number; cut(): void; close(): void }> {
  let isCut = false;
  const server = createServer((replica) => {
    const upstream = connect(primary, '127.0.0.1');
    replica.on('error', () => undefined);
    upstream.on('error', () => undefined);
    replica.pipe(upstream);
    upstream.on('data', (chunk) => setTimeout(() => isCut || replica.write(chunk), LINK_MILLIS));
    upstream.on('close', () => replica.destroy());
  });
  const { port } = new URL(await listenHere(server));
  const cut = () => {
    isCut = true;
  };
  return { port: Number(port), cut, close: () => void server.close() };
}

/** A server that is killed, and started again with what it has on disk. */
export async function restart(settings: readonly string[]): Promise<Failover> {
  const server = await startRedis(settings);
  const client = clientOf(server.port);
  const records = Array.from({ length: CLAIMS_BEFORE_KILL }, claim);
  const again = clientOf(server.port, true);
  try {
    const store = redisStore({ client });
    const answers = await Promise.all(records.map((record) => store.insert(record)));
    await server.kill();
    await server.restart();
    const there = await Promise.all(records.map(({ id }) => again.exists(`idempotency:{${id}}`)));
    return { confirmed: answers.filter(({ done }) => done).length, lost: there.filter((count) => count === 0).length };
  } finally {
    client.disconnect();
    again.disconnect();
    await server.stop();
  }
}

function clientOf(port: number, lazyConnect = false): Redis {
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, lazyConnect });
  client.on('error', () => undefined);
  return client;
}

const claim = (): InProgressRecord => ({
  id: `failover#${randomUUID()}`,
  status: 'IN_PROGRESS',
  owner: randomUUID(),
  attempt: 1,
  leaseUntil: 2_400_000_000_000,
  expiration: 2_500_000_000,
});

async function untilLinked(replica: Redis): Promise<void> {
  while (!(await replica.info('replication')).includes('master_link_status:up')) {
    // It asks again: the answer takes its time.
  }
}

async function furthest(replicas: readonly Redis[]): Promise<Redis> {
  const offsets = await Promise.all(
    replicas.map(async (replica) =>
      Number(/slave_repl_offset:(\d+)/.exec(await replica.info('replication'))?.[1] ?? 0),
    ),
  );
  return replicas[offsets.indexOf(Math.max(...offsets))] as Redis;
}
