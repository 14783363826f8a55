import { randomUUID } from 'node:crypto';
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import { makeHandlerIdempotent } from '@aws-lambda-powertools/idempotency/middleware';
import middy from '@middy/core';
import type { Context } from 'aws-lambda';
import { type IdempotencyHandle, idempotent } from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { dynamoDBStore as liteStore } from 'middy-idempotency/dynamodb/lite';
import { httpIdempotency } from 'middy-idempotency/http';
import { powertoolsRecords } from 'middy-idempotency/powertools';
import { describe, expect, inject, it } from 'vitest';
import { releaseRecord } from '../../src/operator/index.ts';
import { legacyIdentity } from '../../src/powertools/legacy-id.ts';
import { resolvePowertools } from '../../src/powertools/options.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
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
const MIRROR = { records: { mode: 'mirror' } } as const;
const OLD_IN_PROGRESS = expect.objectContaining({ name: 'IdempotencyAlreadyInProgressError' });

/** The key of Powertools' item. */
function legacyKey(order: object) {
  const options = { tableName: 'any', mode: 'mirror', eventKeyJmesPath: 'id', keyPrefix: KEY_PREFIX } as const;
  return { id: legacyIdentity(resolvePowertools(options), [order])?.id };
}
const legacyItem = (order: object) => on.item(legacyKey(order));

describe('old and new code together', () => {
  it('see the outcomes of each other', async () => {
    for (const [first, second] of [
      ['old', 'new'],
      ['new', 'old'],
    ] as const) {
      const { charges, as } = charging();
      const order = newOrder();
      const versions = { old: on.old(as('old')), new: on.new(as('new'), MIRROR) };
      const outcome = await versions[first](order);
      expect(await versions[second](order)).toEqual(outcome);
      expect(await versions[first](order)).toEqual(outcome);
      expect(charges).toEqual([first]);
    }
  });

  it('see the executions of each other, and who was slower takes no part', async () => {
    const { charges, as, hold } = charging();
    for (const [first, second, refusal] of [
      ['old', 'new', code('IN_FLIGHT')],
      ['new', 'old', OLD_IN_PROGRESS],
    ] as const) {
      const order = newOrder();
      const { started, go } = hold(first);
      const versions = { old: on.old(as('old')), new: on.new(as('new'), MIRROR) };
      const running = versions[first](order);
      await started;
      await expect(versions[second](order)).rejects.toThrow(refusal);
      go();
      const answer = await running;
      expect(await versions[second](order)).toEqual(answer);
    }
    expect(charges).toEqual(['old', 'new']);
  });

  it('race for a request: one of them executes, whoever it is', async () => {
    for (let round = 0; round < 5; round++) {
      const { charges, as } = charging();
      const order = newOrder();
      const versions = [on.old(as('old')), on.new(as('new'), MIRROR), on.old(as('old')), on.new(as('new'), MIRROR)];
      const answers = await Promise.allSettled(versions.map((call) => call(order)));
      expect(charges).toHaveLength(1);
      expect(answers.some(({ status }) => status === 'fulfilled')).toBe(true);
    }
  });

  it('refuse another payload, in both directions', async () => {
    const config = { payloadValidationJmesPath: 'amount' };
    const setup = { records: { mode: 'mirror', ...config }, options: { fingerprint: 'amount' } } as const;
    const { as } = charging();
    const [one, other] = [newOrder(), newOrder()];
    await on.old(as('old'), config)(one);
    await expect(on.new(as('new'), setup)({ ...one, amount: 6 })).rejects.toThrow(code('KEY_REUSED'));
    await on.new(as('new'), setup)(other);
    await expect(on.old(as('old'), config)({ ...other, amount: 6 })).rejects.toThrow('Payload does not match');
    expect(await on.old(as('old'), config)(other)).toMatchObject({ by: 'new' });
  });

  it('let a retry execute after a failure, wherever it comes', async () => {
    const fails = () => Promise.reject(new Error('declined'));
    const [one, other] = [newOrder(), newOrder()];
    const { charges, as } = charging();
    await expect(on.new(fails, MIRROR)(one)).rejects.toThrow('declined');
    expect(await legacyItem(one)).toBeUndefined();
    await on.old(as('old'))(one);
    await expect(on.old(fails)(other)).rejects.toThrow('declined');
    await on.new(as('new'), MIRROR)(other);
    expect(charges).toEqual(['old', 'new']);
    expect(await on.new(as('new'), MIRROR)(one)).toMatchObject({ by: 'old' });
  });

  it('wait for the lease of an execution that has vanished, and not longer', async () => {
    for (const [first, second] of [
      ['old', 'new'],
      ['new', 'old'],
      ['new', 'new'],
    ] as const) {
      const { charges, as, hold } = charging();
      const order = newOrder();
      const versions = {
        old: on.old(as('old'), {}, {}, 1000),
        new: on.new(as('new'), { ...MIRROR, remainingMillis: 1000 }),
      };
      const { started } = hold(first);
      void versions[first](order).catch(() => undefined);
      await started;
      await expect(versions[second](order)).rejects.toThrow();
      on.passTime(2500);
      const { started: again } = hold(second);
      void versions[second](order).catch(() => undefined);
      await again;
      expect(charges).toEqual([first, second]);
    }
  });
});

describe('the item that Powertools sees', () => {
  it('is INPROGRESS as long as the lease, and longer after extend', async () => {
    const order = newOrder();
    const seen: Record<string, unknown>[] = [];
    const work = async (_order: object, _context: Context, handle: IdempotencyHandle<TransactionItem>) => {
      seen.push({ ...(await legacyItem(order)), leaseUntil: handle.leaseUntil });
      await handle.extend(100_000);
      seen.push({ ...(await legacyItem(order)), leaseUntil: handle.leaseUntil });
      await handle.step('charge', () => 1);
      seen.push({ ...(await legacyItem(order)), leaseUntil: handle.leaseUntil });
      return { ok: true };
    };
    await withHandle(work)(order, lambdaContext());
    for (const { in_progress_expiration, leaseUntil, ...item } of seen) {
      expect(item).toMatchObject({ status: 'INPROGRESS', mirror_of: on.idOf(order) });
      expect(in_progress_expiration).toBe(Number(leaseUntil) + 1000);
    }
    expect(Number(seen[1]?.['leaseUntil'])).toBeGreaterThan(Number(seen[0]?.['leaseUntil']));
    const { expiration } = (await on.item({ id: on.idOf(order) })) ?? {};
    expect(await legacyItem(order)).toMatchObject({ status: 'COMPLETED', data: { ok: true }, expiration });
  });

  it('is written in the transaction of the handler, too', async () => {
    const order = newOrder();
    const effect = { id: randomUUID() };
    const guarded = withHandle(async (_order, _context, handle) => {
      await handle.transact([{ Put: { TableName: tableName, Item: effect } }], { paid: true });
      throw new Error('after the effect');
    });
    await expect(guarded(order, lambdaContext())).rejects.toThrow('after the effect');
    expect(await on.item(effect)).toEqual(effect);
    expect(await on.old(charging().as('old'))(order)).toEqual({ paid: true });
  });

  it('stays in progress for what Powertools cannot hold: too large, too deep, no exact number, an error', async () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 40; depth++) deep = { deep };
    const { charges, as } = charging();
    for (const result of [
      'x'.repeat(395 * 1024),
      Array(100_000).fill(12_345),
      deep,
      { n: 1e300 },
      { n: 1e-200 },
      { '': 1 },
    ]) {
      const order = newOrder();
      const outcome = await on.new(() => result, MIRROR)(order);
      expect(await on.new(as('new'), MIRROR)(order)).toEqual(outcome);
      await expect(on.old(as('old'))(order)).rejects.toThrow(OLD_IN_PROGRESS);
    }
    const order = newOrder();
    const declined = on.new(() => Promise.reject(new Error('declined')), {
      ...MIRROR,
      options: { settle: () => 'store' },
    });
    await expect(declined(order)).rejects.toThrow('declined');
    await expect(on.old(as('old'))(order)).rejects.toThrow(OLD_IN_PROGRESS);
    expect(charges).toEqual([]);
  });

  it('holds what comes close to the limits', async () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 30; depth++) deep = { deep };
    for (const result of [
      'x'.repeat(389 * 1024),
      Array(20_000).fill(12_345),
      deep,
      [Number.MAX_SAFE_INTEGER, -1e-130, 0.1],
    ]) {
      const order = newOrder();
      const outcome = await on.new(() => result, MIRROR)(order);
      expect(await on.old(charging().as('old'))(order)).toEqual(outcome);
    }
  });

  it('keeps the old code out until an operator has resolved an unknown outcome', async () => {
    const order = newOrder();
    const { as, hold } = charging();
    const { started } = hold('new');
    const setup = { ...MIRROR, options: { onExpiredLease: 'throw' }, remainingMillis: 1000 } as const;
    void on
      .new(
        as('new'),
        setup,
      )(order)
      .catch(() => undefined);
    await started;
    on.passTime(10_000_000);
    await expect(on.old(as('old'))(order)).rejects.toThrow(OLD_IN_PROGRESS);
    await expect(on.new(as('new'), setup)(order)).rejects.toThrow(code('OUTCOME_UNKNOWN'));
    const record = (await store.read(on.idOf(order))) as NonNullable<Awaited<ReturnType<typeof store.read>>>;
    await releaseRecord(store, record.id, record);
    expect(await on.new(charging().as('next'), setup)(order)).toMatchObject({ by: 'next' });
    expect(await on.old(as('old'))(order)).toMatchObject({ by: 'next' });
  });

  it('is written over by an execution of the old code that ends late, and our outcome is stored all the same', async () => {
    const { charges, as, hold } = charging();
    const order = newOrder();
    const late = hold('late');
    const zombie = on.old(as('late'), {}, {}, 1000)(order);
    await late.started;
    on.passTime(2500);
    const { started, go } = hold('new');
    const running = on.new(as('new'), MIRROR)(order);
    await started;
    late.go();
    await zombie;
    go();
    expect(await running).toMatchObject({ by: 'new' });
    expect(await on.new(as('new'), MIRROR)(order)).toMatchObject({ by: 'new' });
    expect(await on.old(as('old'))(order)).toMatchObject({ by: 'new' });
    expect(charges).toEqual(['late', 'new']);
  });
});

it('takes back a claim whose answer was lost, and leaves nothing to Powertools', async () => {
  const order = newOrder();
  const { charges, as } = charging();
  const faulty = localClient({ endpoint: proxy.endpoint, maxAttempts: 1 });
  let claims = 0;
  proxy.decide = ({ body }) =>
    body.includes('IN_PROGRESS') && body.includes('TransactItems') && claims++ === 0 ? 'lose answer' : 'pass';
  const guarded = on.new(as('new'), {
    ...MIRROR,
    options: { store: dynamoDBStore({ tableName, client: faulty }) as never },
  });
  await expect(guarded(order)).rejects.toThrow(code('STORE_UNAVAILABLE'));
  expect(await legacyItem(order)).toBeUndefined();
  expect(await on.old(as('old'))(order)).toMatchObject({ by: 'old' });
  expect(await guarded(order)).toMatchObject({ by: 'old' });
  expect(charges).toEqual(['old']);
});

it('tries a claim again that met another transaction', async () => {
  const order = newOrder();
  const { charges, as } = charging();
  let met = 0;
  proxy.decide = ({ operation }) => (operation === 'TransactWriteItems' && met++ === 0 ? 'conflict' : 'pass');
  const through = dynamoDBStore({ tableName, client: localClient({ endpoint: proxy.endpoint }) }) as never;
  await on.new(as('new'), { ...MIRROR, options: { store: through } })(order);
  expect(met).toBe(3);
  expect(charges).toEqual(['new']);
});

it('is the same with the store that does without the SDK', async () => {
  const order = newOrder();
  const { charges, as } = charging();
  const lite = liteStore({ tableName, endpoint: inject('dynamoDBEndpoint'), ...LOCAL_ACCESS });
  const guarded = on.new(as('new'), { ...MIRROR, options: { store: lite as never } });
  const outcome = await guarded(order);
  expect(await on.old(as('old'))(order)).toEqual(outcome);
  expect(charges).toEqual(['new']);
});

it('reads on where mirrored code has crashed, when the old code is gone', async () => {
  const order = newOrder();
  const { as, hold } = charging();
  const { started } = hold('mirrored');
  void on
    .new(as('mirrored'), { ...MIRROR, remainingMillis: 1000 })(order)
    .catch(() => undefined);
  await started;
  const next = on.new(as('next'));
  await expect(next(order)).rejects.toThrow(code('IN_FLIGHT'));
  on.passTime(2500);
  expect(await next(order)).toMatchObject({ by: 'next' });
});

describe('a table with a sort key', () => {
  const sorted = useOldAndNew({ partitionKey: 'pk', sortKey: 'sk' });

  it('works in both directions', async () => {
    const names = { keyAttr: 'pk', sortKeyAttr: 'sk', staticPkValue: 'idempotency#payments' };
    const sortedStore = dynamoDBStore({
      tableName: sorted.tableName,
      client: sorted.client,
      attributes: { id: 'pk' },
      sortKey: { name: 'sk', value: 'idempotency' },
    });
    for (const mode of ['mirror', 'readThrough'] as const) {
      const { charges, as } = charging();
      const [one, other] = [newOrder(), newOrder()];
      const next = sorted.new(as('new'), { records: { ...names, mode }, options: { store: sortedStore as never } });
      await sorted.old(as('old'), {}, names)(one);
      expect(await next(one)).toMatchObject({ by: 'old' });
      await next(other);
      if (mode === 'mirror') expect(await sorted.old(as('old'), {}, names)(other)).toMatchObject({ by: 'new' });
      expect(charges).toEqual(['old', 'new']);
    }
  });
});

it('lets the old code replay an HTTP response', async () => {
  const { event } = SHAPES[1] as (typeof SHAPES)[number];
  const request = event({ headers: [['Idempotency-Key', randomUUID()]], body: '{"amount":5}' }) as never;
  const eventKeyJmesPath = 'headers."idempotency-key"';
  const records = { tableName, client, eventKeyJmesPath, keyPrefix: 'api', acceptRecordsWithoutScope: true } as const;
  const migrateFrom = powertoolsRecords({ ...records, mode: 'mirror' });
  const response = { statusCode: 201, headers: { Location: '/1' }, body: '{"id":1}' };
  const next = middy()
    .use(httpIdempotency({ store, operation: 'api', scope: 'anonymous', migrateFrom }))
    .handler(async () => response);
  const old = middy()
    .use(
      makeHandlerIdempotent({
        persistenceStore: new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client }),
        config: new IdempotencyConfig({ eventKeyJmesPath }),
        keyPrefix: 'api',
      }),
    )
    .handler(async () => ({ statusCode: 500 }));
  expect(await next(request, lambdaContext())).toEqual(response);
  expect(await old(request, lambdaContext())).toEqual(response);
});

function withHandle(
  work: (order: { id: string }, context: Context, handle: IdempotencyHandle<TransactionItem>) => unknown,
) {
  const records = { tableName, client, eventKeyJmesPath: 'id', keyPrefix: KEY_PREFIX };
  return idempotent(work, {
    store,
    key: 'id',
    operation: KEY_PREFIX,
    passHandle: true,
    migrateFrom: powertoolsRecords({ ...records, mode: 'mirror' }),
  });
}

it('makeIdempotent of the peer is not affected by the attribute that marks a mirrored item', async () => {
  const order = newOrder();
  await on.new(() => Promise.resolve(undefined), MIRROR)(order);
  const layer = new DynamoDBPersistenceLayer({ tableName, awsSdkV3Client: client });
  const config = new IdempotencyConfig({ eventKeyJmesPath: 'id' });
  const peer = makeIdempotent(async (_order: object) => 'executed', {
    persistenceStore: layer,
    config,
    keyPrefix: KEY_PREFIX,
  });
  expect(await peer(order)).toBeUndefined();
});
