import { randomUUID } from 'node:crypto';
import { IdempotencyError, type InProgressRecord, idempotency, idempotent } from 'middy-idempotency';
import { redisStore } from 'middy-idempotency/redis';
import { createClient } from 'redis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../tools/dynamodb-local.ts';
import { thrownBy } from '../../support/harness.ts';
import { clientOf, HAS_REDIS, useRedis } from '../../support/redis.ts';

const record = (): InProgressRecord => ({
  id: `op#${randomUUID()}`,
  status: 'IN_PROGRESS',
  owner: 'me',
  attempt: 1,
  leaseUntil: 2_400_000_000_000,
  expiration: 2_500_000_000,
});

/** Guards a function with the client: what a caller gets. The function does not run. */
async function refusalOf(client: Parameters<typeof redisStore>[0]['client'], options: object = {}) {
  const charge = vi.fn(async () => 'charged');
  const store = redisStore({ client, ...options });
  const error = await thrownBy(idempotent(charge, { store, key: () => '1', operation: 'test', warnings: false })());
  expect(charge).not.toHaveBeenCalled();
  expect(error).toBeInstanceOf(IdempotencyError);
  return error as IdempotencyError;
}

describe.skipIf(!HAS_REDIS)(
  'a Redis that cannot be used is STORE_UNAVAILABLE, with advice, and nothing is executed',
  () => {
    const redis = useRedis(['--requirepass', 'right-secret']);
    const clients: { disconnect(): void }[] = [];
    afterEach(() => {
      for (const client of clients.splice(0)) client.disconnect();
    });
    const connected = (options: object = {}) => {
      const client = clientOf(redis.server.port, options);
      clients.push(client);
      return client;
    };
    const admin = () => connected({ password: 'right-secret' });

    it.each([
      ['no password', {}],
      ['a wrong password', { password: 'wrong-secret' }],
    ])('%s', async (_, options) => {
      const error = await refusalOf(connected(options));
      // The client may have sent it before: whether something was written is unknown.
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: undefined, unanswered: undefined });
      expect(error.advice).toContain('Correct the user and the password');
      const cause = error.cause as Error;
      expect(JSON.stringify([error, error.message, error.advice, cause, cause.message, cause.stack])).not.toContain(
        '-secret',
      );
    });

    it('a user without permission for the scripts', async () => {
      await admin().call('ACL', 'SETUSER', 'reader', 'on', '>reader', '~*', '+@read', '+info');
      const error = await refusalOf(connected({ username: 'reader', password: 'reader' }));
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: undefined });
      expect(error.advice).toContain('EVALSHA');
      // This client sends nothing again.
      const node = createClient({ url: redis.server.url, username: 'reader', password: 'reader' });
      await node.connect();
      expect(await refusalOf(node)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
      node.destroy();
    });

    it('a server that is not there: no answer, which a retry may get', async () => {
      const client = clientOf(await freePort());
      clients.push(client);
      expect(await refusalOf(client)).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: true });
    });

    it('a client of redis that is not connected', async () => {
      const error = await refusalOf(createClient({ url: redis.server.url }));
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
      expect(error.advice).toContain('connect()');
    });

    it('a key of another program is RECORD_INVALID, and so is a record that is not one', async () => {
      const client = admin();
      const store = redisStore({ client });
      for (const set of [
        (key: string) => client.set(key, 'theirs'),
        (key: string) => client.hset(key, 'name', 'theirs'),
        (key: string) => client.hset(key, 'record', '{"id":1}'),
        (key: string) => client.hset(key, 'record', '{'),
      ]) {
        const written = record();
        await set(`idempotency:{${written.id}}`);
        expect(await thrownBy(store.insert(written))).toMatchObject({ code: 'RECORD_INVALID' });
        expect(await thrownBy(store.read(written.id))).toMatchObject({ code: 'RECORD_INVALID' });
      }
    });

    it('one that may evict records: until it is acknowledged, which is a process warning, or the policy is corrected', async () => {
      const client = admin();
      await client.config('SET', 'maxmemory', '100mb');
      await client.config('SET', 'maxmemory-policy', 'volatile-lru');
      const store = redisStore({ client });
      expect(await thrownBy(store.insert(record()))).toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryable: false,
        advice: expect.stringContaining('noeviction'),
      });
      const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
      expect(await redisStore({ client, acknowledgeEviction: true }).insert(record())).toEqual({ done: true });
      expect(warn).toHaveBeenCalledExactlyOnceWith(
        expect.stringContaining('volatile-lru'),
        expect.objectContaining({ code: 'MIDDY_IDEMPOTENCY_EVICTION' }),
      );
      warn.mockRestore();
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      expect(await store.insert(record())).toEqual({ done: true });
    });

    it('one whose memory is full, and that evicts nothing', async () => {
      const client = admin();
      await client.config('SET', 'maxmemory', '1');
      const error = await thrownBy(redisStore({ client }).insert(record()));
      await client.config('SET', 'maxmemory', '0');
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: undefined });
    });

    it('one that is a replica', async () => {
      const client = admin();
      await client.replicaof('127.0.0.1', '1');
      const error = await thrownBy(redisStore({ client }).insert(record()));
      await client.replicaof('NO', 'ONE');
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true, unanswered: undefined });
      expect((error as IdempotencyError).advice).toContain('primary');
    });

    it('one without enough replicas, where a write must be on them', async () => {
      const client = admin();
      const error = await refusalOf(client, { waitForReplicas: { replicas: 1, timeoutMillis: 20 } });
      expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(error.unanswered).toBeUndefined();
      expect(error.advice).toContain('waitForReplicas');
    });

    it('is asked once more with the whole script where it has forgotten the scripts', async () => {
      const client = admin();
      const store = redisStore({ client });
      await client.script('FLUSH');
      const written = record();
      expect(await store.insert(written)).toEqual({ done: true });
      expect(await store.read(written.id)).toEqual(written);
    });

    it('deletes a key by itself an hour after its record, and not before', async () => {
      const client = admin();
      const written = { ...record(), expiration: Math.floor(Date.now() / 1000) + 100 };
      await redisStore({ client, keyPrefix: 'mine:' }).insert(written);
      expect(await client.pexpiretime(`mine:{${written.id}}`).catch(() => undefined)).toSatisfy(
        (at: number | undefined) => at === undefined || at === written.expiration * 1000 + 3_600_000,
      );
      const left = await client.pttl(`mine:{${written.id}}`);
      expect(left).toBeGreaterThan(3_600_000);
      expect(left).toBeLessThanOrEqual(3_700_000);
    });
  },
);

describe('wrong options of redisStore', () => {
  const client = { evalsha: async () => undefined, eval: async () => undefined };
  it.each([
    ['client', {}],
    ['client', { client: {} }],
    ['client', { client: 'redis://localhost' }],
    ['keyPrefix', { client, keyPrefix: '{a}' }],
    ['keyPrefix', { client, keyPrefix: 1 }],
    ['waitForReplicas.replicas', { client, waitForReplicas: { replicas: 0, timeoutMillis: 1 } }],
    ['waitForReplicas.timeoutMillis', { client, waitForReplicas: { replicas: 1 } }],
    ['waitForReplicas', { client: { ...client, isCluster: true }, waitForReplicas: { replicas: 1, timeoutMillis: 1 } }],
    ['acknowledgeFailover', { client, acknowledgeFailover: 1 }],
    ['acknowledgeEviction', { client, acknowledgeEviction: null }],
    ['prefix', { client, prefix: 'x' }],
  ])('are refused at construction, naming %s', (option, options) => {
    expect(() => redisStore(options as never)).toThrow(`option \`${option}\``);
  });

  it('include at-most-once: a lost claim would run the work twice, unless that is acknowledged', () => {
    const guard = (options: object) => () =>
      idempotency({
        key: 'id',
        operation: 'test',
        onExpiredLease: 'throw',
        store: redisStore({ client, ...options } as never),
      });
    expect(guard({})).toThrow(/option `onExpiredLease`: Redis replicates asynchronously/);
    expect(guard({ acknowledgeFailover: true })).not.toThrow();
  });
});
