import { refuseUnknownOptions, requireNumber, requireOneOf } from '../core/options.ts';
import type { RecordStore } from '../core/record/store.ts';
import { optionError } from '../errors.ts';
import { connectionOf, type RedisClient } from './redis/client.ts';
import { evictionCheck } from './redis/eviction.ts';
import { recordStore } from './redis/store.ts';

export type { IoRedis, NodeRedis, RedisClient } from './redis/client.ts';

export interface RedisStoreOptions {
  /** Your own client, with its own timeouts, retries and TLS; it is not changed. Give it a time limit for a command. */
  readonly client: RedisClient;
  /** In front of every key. @default 'idempotency:' */
  readonly keyPrefix?: string;
  /**
   * Waits after each write until so many replicas have it (`WAIT`), or fails with `STORE_UNAVAILABLE`. It makes a lost claim less
   * likely, and not impossible: a failover may still choose another replica. It holds the client's connection while it waits, so it
   * needs a client that is one connection: neither a cluster nor a pool. @default off
   */
  readonly waitForReplicas?: { readonly replicas: number; readonly timeoutMillis: number };
  /** You know that a failover or a restart can lose a claim, and allow `onExpiredLease: 'throw'` all the same. @default false */
  readonly acknowledgeFailover?: boolean;
  /** You know that this server deletes records when its memory is full. It is then a process warning. @default false */
  readonly acknowledgeEviction?: boolean;
}

const OPTION_NAMES = ['client', 'keyPrefix', 'waitForReplicas', 'acknowledgeFailover', 'acknowledgeEviction'];
const MAX_REPLICAS = 100;
const MAX_WAIT_MILLIS = 60_000;
const FAILOVER =
  'Redis replicates asynchronously: a failover or a restart can lose a claim, and the work would run twice. ' +
  'Use a store that keeps what it has confirmed, or set acknowledgeFailover: true in redisStore';

/**
 * Records in Redis 6.2 or later, or in Valkey: one script for each write, on one key. The key expires an hour after the record.
 *
 * Redis can lose what it has confirmed: by a failover, by a restart without `appendfsync always`, by eviction. A lost claim lets
 * the work run twice. So it is not for at-most-once work, and `onExpiredLease: 'throw'` is refused.
 *
 * @throws TypeError that names the wrong option
 */
export function redisStore(options: RedisStoreOptions): RecordStore {
  refuseUnknownOptions(options, OPTION_NAMES);
  const { client, keyPrefix = 'idempotency:', waitForReplicas } = options;
  const { acknowledgeFailover = false, acknowledgeEviction = false } = options;
  const connection = connectionOf(client);
  // A brace would be the hash tag: all records would be on one node.
  if (typeof keyPrefix !== 'string' || keyPrefix.includes('{'))
    throw optionError('keyPrefix', 'must be a string without {');
  requireOneOf('acknowledgeFailover', acknowledgeFailover, [true, false]);
  requireOneOf('acknowledgeEviction', acknowledgeEviction, [true, false]);
  if (waitForReplicas !== undefined) {
    const { replicas, timeoutMillis } = waitForReplicas ?? {};
    requireNumber('waitForReplicas.replicas', replicas, MAX_REPLICAS, 1);
    requireNumber('waitForReplicas.timeoutMillis', timeoutMillis, MAX_WAIT_MILLIS, 1);
    if (connection.isCluster) throw optionError('waitForReplicas', 'needs a client of one server, not of a cluster');
  }
  return {
    ...recordStore({ connection, keyPrefix, waitForReplicas, admit: evictionCheck(connection, acknowledgeEviction) }),
    ...(!acknowledgeFailover && { durability: FAILOVER }),
  };
}
