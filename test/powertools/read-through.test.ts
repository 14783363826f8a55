import { randomUUID } from 'node:crypto';
import { IdempotencyConfig } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import middy from '@middy/core';
import { idempotency } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { powertoolsRecords } from 'middy-idempotency/powertools';
import { describe, expect, it, vi } from 'vitest';
import { completeRecord, releaseRecord } from '../../src/operator/index.ts';
import { legacyIdentity } from '../../src/powertools/legacy-id.ts';
import { resolvePowertools } from '../../src/powertools/options.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { lambdaContext } from '../support/harness.ts';
import { SHAPES } from '../support/http-events.ts';
import { charging, KEY_PREFIX, useOldAndNew } from '../support/powertools.ts';
import { localClient } from '../support/table.ts';

const on = useOldAndNew();
const proxy = useFaultProxy();
const newOrder = () => ({ id: randomUUID(), amount: 5 });
const code = (expected: string) => expect.objectContaining({ code: expected });
const { tableName, client } = on;
const store = dynamoDBStore({ tableName, client });

/** The key of Powertools' item. */
function legacyKey(order: object) {
  const options = { tableName: 'any', mode: 'readThrough', eventKeyJmesPath: 'id', keyPrefix: KEY_PREFIX } as const;
  return { id: legacyIdentity(resolvePowertools(options), [order])?.id };
}

describe('after the deploy, a request that the old code has served', () => {
  it('is not executed again, and gets its outcome', async () => {
    const { charges, as } = charging();
    const order = newOrder();
    const first = await on.old(as('old'))(order);
    const events: string[] = [];
    const next = on.new(as('new'), { options: { onEvent: ({ type }) => void events.push(type) } });
    expect(await next(order)).toEqual(first);
    expect(await next(order)).toEqual(first);
    expect(events).toEqual(['replayed', 'replayed']);
    expect(charges).toEqual(['old']);
  });

  it('is kept as long as Powertools has promised, and not longer', async () => {
    const { charges, as } = charging();
    const order = newOrder();
    await on.old(as('old'), { expiresAfterSeconds: 60 })(order);
    const next = on.new(as('new'));
    await next(order);
    const { expiration } = (await on.item(legacyKey(order))) ?? {};
    expect(await on.item({ id: on.idOf(order) })).toMatchObject({ status: 'COMPLETED', expiration });
    on.passTime(61_000);
    await next(order);
    expect(charges).toEqual(['old', 'new']);
  });

  it('comes with whatever the old code has stored: nothing, null, numbers, lists, sets', async () => {
    for (const result of [
      undefined,
      null,
      0,
      '',
      [],
      { a: [1.5, { b: [null, true] }], c: '' },
      { set: new Set(['x']) },
    ]) {
      const order = newOrder();
      const old = on.old(() => result);
      await old(order);
      const replayed = await old(order);
      const execution = on.new(() => 'executed', { options: { onEvent: () => undefined } })(order);
      // A set is empty in JSON: as a function's result it is not replayed, and not executed again.
      if (JSON.stringify(result)?.includes('{"set":{}}'))
        await expect(execution).rejects.toThrow(code('RESPONSE_NOT_REPLAYABLE'));
      else expect(await execution).toEqual(replayed);
    }
  });

  it('is refused with another payload, and not touched', async () => {
    const { charges, as } = charging();
    const order = newOrder();
    const config = { payloadValidationJmesPath: 'amount' };
    await on.old(as('old'), config)(order);
    const next = on.new(as('new'), { records: config, options: { fingerprint: 'amount' } });
    await expect(next({ ...order, amount: 6 })).rejects.toThrow(code('KEY_REUSED'));
    expect(await on.item({ id: on.idOf(order) })).toBeUndefined();
    expect(await next(order)).toMatchObject({ by: 'old' });
    await expect(next({ ...order, amount: 6 })).rejects.toThrow(code('KEY_REUSED'));
    expect(charges).toEqual(['old']);
  });

  it('has no payload to compare where the old code stored none', async () => {
    const order = newOrder();
    await on.old(charging().as('old'))(order);
    const next = on.new(charging().as('new'), { options: { fingerprint: 'amount' } });
    expect(await next({ ...order, amount: 6 })).toMatchObject({ by: 'old', amount: 5 });
    expect(await next(order)).toMatchObject({ by: 'old' });
  });

  it('is found although a middleware or the handler changes the event later', async () => {
    const { charges, as } = charging();
    const event = newOrder();
    const work = as('old');
    const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
    const config = new IdempotencyConfig({ eventKeyJmesPath: 'id' });
    const old = middy()
      .use(makeHandlerIdempotent({ persistenceStore, config, keyPrefix: KEY_PREFIX }))
      .handler(async (order) => work(order as { id: string }));
    const first = await old({ ...event } as never, lambdaContext());
    const records = { tableName, client, eventKeyJmesPath: 'id', keyPrefix: KEY_PREFIX };
    const migrateFrom = powertoolsRecords({ ...records, mode: 'readThrough' });
    const next = middy<{ id: string }>()
      .use(idempotency({ store, key: 'id', operation: KEY_PREFIX, migrateFrom }))
      .before(async ({ event }) => void Object.assign(event, { id: 'another' }))
      .handler(async () => charges.push('new'));
    expect(await next({ ...event }, lambdaContext())).toEqual(first);
    expect(charges).toEqual(['old']);
  });

  it('is replayed over HTTP as the API Gateway response that it is', async () => {
    const { event } = SHAPES[1] as (typeof SHAPES)[number];
    const request = event({ headers: [['Idempotency-Key', randomUUID()]], body: '{"amount":5}' });
    const persistenceStore = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
    const eventKeyJmesPath = 'headers."idempotency-key"';
    const old = middy()
      .use(
        makeHandlerIdempotent({
          persistenceStore,
          config: new IdempotencyConfig({ eventKeyJmesPath }),
          keyPrefix: 'api',
        }),
      )
      .handler(async () => ({ statusCode: 201, headers: { Location: '/1', 'Set-Cookie': 'a=b' }, body: '{"id":1}' }));
    await old(request as never, lambdaContext());
    const migrateFrom = powertoolsRecords({
      tableName,
      client,
      mode: 'readThrough',
      eventKeyJmesPath,
      keyPrefix: 'api',
      acceptRecordsWithoutScope: true,
    });
    const next = middy()
      .use(httpIdempotency({ store, operation: 'api', scope: 'anonymous', migrateFrom }))
      .handler(async () => ({ statusCode: 500 }));
    expect(await next(request as never, lambdaContext())).toEqual({
      statusCode: 201,
      headers: { Location: '/1', 'Idempotent-Replayed': 'true' },
      body: '{"id":1}',
    });
  });
});

describe('a request that the old code is serving', () => {
  it('is in flight, until it has ended: then its outcome is replayed', async () => {
    const { charges, as, hold } = charging();
    const order = newOrder();
    const { started, go } = hold('old');
    const running = on.old(as('old'))(order);
    await started;
    const next = on.new(as('new'));
    const refusal = await next(order).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'IN_FLIGHT', retryAfterMillis: expect.any(Number) });
    expect(await on.item({ id: on.idOf(order) })).toBeUndefined();
    const waiting = on.new(as('new'), { options: { onInFlight: { waitMillis: 20_000 } } })(order);
    go();
    expect(await waiting).toEqual(await running);
    expect(charges).toEqual(['old']);
  });

  it('is executed when the old code has failed, also after our own release', async () => {
    const order = newOrder();
    const fails = () => Promise.reject(new Error('declined'));
    const { charges, as } = charging();
    await expect(on.new(fails)(order)).rejects.toThrow('declined');
    await expect(on.old(fails)(order)).rejects.toThrow('declined');
    await on.new(as('new'))(order);
    expect(charges).toEqual(['new']);
    expect(await on.item({ id: on.idOf(order) })).toMatchObject({ status: 'COMPLETED', attempt: 2 });
  });

  it('keeps its own release while the old code serves it, and the fingerprint of no wrong payload', async () => {
    const order = newOrder();
    const config = { payloadValidationJmesPath: 'amount' };
    const setup = { records: config, options: { fingerprint: 'amount' } };
    await expect(on.new(() => Promise.reject(new Error('declined')), setup)(order)).rejects.toThrow('declined');
    const { as, hold } = charging();
    const { started, go } = hold('old');
    const running = on.old(as('old'), config)(order);
    await started;
    await expect(on.new(as('new'), setup)(order)).rejects.toThrow(code('IN_FLIGHT'));
    expect(await on.item({ id: on.idOf(order) })).toMatchObject({ status: 'RELEASED', attempt: 2 });
    await expect(on.new(as('new'), setup)({ ...order, amount: 6 })).rejects.toThrow(code('KEY_REUSED'));
    go();
    await running;
    expect(await on.new(as('new'), setup)(order)).toMatchObject({ by: 'old' });
  });

  it('is not kept from its caller by another payload that came before, where our own record had expired', async () => {
    const order = newOrder();
    const config = { payloadValidationJmesPath: 'amount' };
    const setup = { records: config, options: { fingerprint: 'amount', retentionSeconds: 1 } };
    await on.new(charging().as('new'), setup)(order);
    on.passTime(60_000);
    await on.old(charging().as('old'), config)(order);
    const next = on.new(charging().as('next'), setup);
    await expect(next({ ...order, amount: 6 })).rejects.toThrow(code('KEY_REUSED'));
    expect(await next(order)).toMatchObject({ by: 'old' });
  });
});

it('does not take a late answer for an execution whose time has passed: it may have ended in between', async () => {
  const { charges, as, hold } = charging();
  const order = newOrder();
  const { started, go } = hold('old');
  const running = on.old(as('old'), {}, {}, 2000)(order);
  await started;
  const [read, delivered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const slow = localClient();
  slow.middlewareStack.add(
    (next) => async (args) => {
      const answer = await next(args);
      read.resolve();
      await delivered.promise;
      return answer;
    },
    { step: 'deserialize', priority: 'high' },
  );
  const request = on.new(as('new'), { records: { client: slow } })(order);
  await read.promise;
  go();
  await running;
  on.passTime(10_000);
  delivered.resolve();
  expect(await request).toEqual(await running);
  expect(charges).toEqual(['old']);
});

describe('an execution of the old code that has vanished', () => {
  /** It dies in the middle: its item stays INPROGRESS. */
  async function crashed(order: { id: string }, remainingMillis = 1000) {
    const { as, hold } = charging();
    const { started } = hold('old');
    void on.old(as('old'), {}, {}, remainingMillis)(order);
    await started;
  }

  it('is executed again when its time is over, and not sooner', async () => {
    const order = newOrder();
    await crashed(order);
    const { charges, as } = charging();
    const next = on.new(as('new'));
    await expect(next(order)).rejects.toThrow(code('IN_FLIGHT'));
    on.passTime(3000);
    await next(order);
    expect(charges).toEqual(['new']);
  });

  it('without an in_progress_expiration lasts until its expiration', async () => {
    const order = newOrder();
    await crashed(order, 0);
    expect(await on.item(legacyKey(order))).not.toHaveProperty('in_progress_expiration');
    const next = on.new(charging().as('new'));
    on.passTime(3_590_000);
    await expect(next(order)).rejects.toThrow(code('IN_FLIGHT'));
    on.passTime(20_000);
    expect(await next(order)).toMatchObject({ by: 'new' });
  });

  it.each(['release', 'complete'] as const)(
    'stays unknown with onExpiredLease: throw, until an operator decides: %s',
    async (how) => {
      const order = newOrder();
      await crashed(order);
      on.passTime(3000);
      const next = on.new(charging().as('new'), { options: { onExpiredLease: 'throw' } });
      await expect(next(order)).rejects.toThrow(code('OUTCOME_UNKNOWN'));
      // Powertools' item expires, and TTL deletes it. What we know stays.
      on.passTime(7_200_000);
      if (how === 'complete') await on.delete(legacyKey(order));
      await expect(next(order)).rejects.toThrow(code('OUTCOME_UNKNOWN'));
      const id = on.idOf(order);
      const record = (await store.read(id)) as NonNullable<Awaited<ReturnType<typeof store.read>>>;
      if (how === 'release') {
        expect(await releaseRecord(store, id, record)).toMatchObject({ kind: 'done' });
        expect(await next(order)).toMatchObject({ by: 'new' });
      } else {
        expect(await completeRecord(store, id, record, { by: 'operator' })).toMatchObject({ kind: 'done' });
        expect(await next(order)).toEqual({ by: 'operator' });
      }
    },
  );
});

it('reads a table with a sort key, other attributes and a store that is no table at all', async () => {
  const order = newOrder();
  const { charges, as } = charging();
  const layer = { statusAttr: 's', dataAttr: 'd' };
  await on.old(as('old'), { hashFunction: 'sha256' }, layer)(order);
  const records = { ...layer, hashFunction: 'sha256' };
  expect(await on.new(as('new'), { records, options: { store: memoryStore() } })(order)).toMatchObject({ by: 'old' });
  expect(charges).toEqual(['old']);
});

it('does not execute again where the outcome has a number that JavaScript cannot hold', async () => {
  for (const [N, refusal] of [
    ['12345678901234567890', 'RESPONSE_NOT_REPLAYABLE'],
    ['1.5e120', undefined],
  ] as const) {
    const order = newOrder();
    await on.old(charging().as('old'))(order);
    const data = { N };
    const change = { UpdateExpression: 'SET #d = :d', ExpressionAttributeNames: { '#d': 'data' } };
    const Key = { id: { S: String(legacyKey(order).id) } };
    await client.send(
      new UpdateItemCommand({ TableName: tableName, Key, ...change, ExpressionAttributeValues: { ':d': data } }),
    );
    const retry = on.new(charging().as('new'))(order);
    if (refusal) await expect(retry).rejects.toThrow(code(refusal));
    else expect(await retry).toBe(1.5e120);
  }
});

it('counts an item as it stands, and refuses one that Powertools has not written', async () => {
  const order = newOrder();
  await on.old(charging().as('old'), {}, { statusAttr: 'another' })(order);
  await expect(on.new(charging().as('new'))(order)).rejects.toThrow(code('RECORD_INVALID'));
  expect(await on.item({ id: on.idOf(order) })).toBeUndefined();
});

it('asks Powertools, too, when the answer to its claim was lost and the SDK sent it again', async () => {
  const order = newOrder();
  const first = await on.old(charging().as('old'))(order);
  const { charges, as } = charging();
  const faulty = localClient({ endpoint: proxy.endpoint });
  let lost = 0;
  proxy.decide = ({ operation }) => (operation === 'PutItem' && lost++ === 0 ? 'lose answer' : 'pass');
  const next = on.new(as('new'), { options: { store: dynamoDBStore({ tableName, client: faulty }) } as never });
  expect(await next(order)).toEqual(first);
  expect(lost).toBeGreaterThan(1);
  expect(charges).toEqual([]);
});

it('warns once where the key of Powertools selects nothing, or refuses it, as Powertools does', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  const records = { eventKeyJmesPath: 'body.id' };
  const next = on.new(charging().as('new'), { records });
  expect(await next(newOrder())).toMatchObject({ by: 'new' });
  expect(await next(newOrder())).toMatchObject({ by: 'new' });
  expect(warn.mock.calls).toEqual([
    [
      expect.stringContaining('`body.id` selected nothing'),
      expect.objectContaining({ code: 'MIDDY_IDEMPOTENCY_NO_LEGACY_KEY' }),
    ],
  ]);
  warn.mockRestore();
  const strict = on.new(charging().as('new'), { records: { ...records, throwOnNoIdempotencyKey: true } });
  await expect(strict(newOrder())).rejects.toThrow(code('KEY_MISSING'));
});

it('takes its claim back when the table of Powertools cannot be read', async () => {
  const order = newOrder();
  const { charges, as } = charging();
  const failure = await on
    .new(as('new'), { records: { tableName: 'no-such-table' } })(order)
    .catch((error) => error);
  expect(failure).toMatchObject({ code: 'STORE_UNAVAILABLE', advice: expect.stringContaining('no-such-table') });
  expect(await on.item({ id: on.idOf(order) })).toBeUndefined();
  expect(charges).toEqual([]);
});
