import type { IdempotencyRecord, InProgressRecord, RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { releaseRecord } from 'middy-idempotency/operator';
import { describe, expect, it } from 'vitest';
import { createResolving } from '../../src/operator/resolve.ts';
import { crashing, deferred, lambdaContext, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();
const { release, complete } = createResolving(guards.clock);
const atMostOnce = { options: { onExpiredLease: 'throw', leaseMillis: 30_000 } } as const;
const longInvocation = () => lambdaContext(guards.clock, { remainingMillis: 900_000 });

const retry = (order: Order, onExecution: () => void = () => undefined) =>
  guards.guarded({
    handler: async (_, { idempotency: { attempt } }) => {
      onExecution();
      return { attempt };
    },
    ...atMostOnce,
  })(order);

/** An execution that has crashed, and a while later. */
async function crashed(millisLater = 31_000) {
  const order = newOrder();
  const started = deferred<string>();
  void guards.guarded({ handler: crashing(({ idempotency }) => started.resolve(idempotency.id)), ...atMostOnce })(
    order,
  );
  const id = await started.promise;
  guards.clock.advance(millisLater);
  return { order, id, record: await stored(id) };
}

/** An execution that outlives its lease, and can be told what to do then. */
async function late(act: (context: { extend(millis: number): Promise<void> }) => unknown) {
  const order = newOrder();
  const started = deferred<string>();
  const gate = deferred();
  const running = guards.guarded({
    handler: async (_, { idempotency }) => {
      started.resolve(idempotency.id);
      await gate.promise;
      return act(idempotency);
    },
    ...atMostOnce,
  })(order, longInvocation());
  const id = await started.promise;
  guards.clock.advance(31_000);
  return { order, id, record: await stored(id), running, end: () => gate.resolve() };
}

async function stored(id: string): Promise<IdempotencyRecord> {
  const record = await guards.store.read(id);
  if (record === undefined) throw new Error(`no record ${id}`);
  return record;
}

/** The store, with something that happens between the operator's reading and writing. */
function between(happens: (record: IdempotencyRecord) => Promise<unknown>): RecordStore {
  const { store } = guards;
  return {
    ...store,
    async read(id) {
      const record = await store.read(id);
      if (record !== undefined) await happens(record);
      return record;
    },
  };
}

describe('an unknown outcome', () => {
  it('refuses every retry until it is released, and then executes once, as the next attempt', async () => {
    const { order, id, record } = await crashed();
    expect(await thrownBy(retry(order))).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    expect(await release(guards.store, id, record, {})).toMatchObject({ kind: 'done', record: { status: 'RELEASED' } });
    expect(await stored(id)).toMatchObject({ status: 'RELEASED', attempt: 1 });
    expect(await retry(order)).toEqual({ attempt: 2 });
    expect(await retry(order)).toEqual({ attempt: 2 });
  });

  it('keeps the steps that were done: the attempt after a release does not run them again', async () => {
    const order = newOrder();
    const crashedAfterStep = deferred<string>();
    let reservations = 0;
    const reserve = () => ++reservations;
    void guards.guarded({
      handler: async (_, { idempotency }) => {
        await idempotency.step('reserve', reserve);
        crashedAfterStep.resolve(idempotency.id);
        return new Promise(() => undefined);
      },
      ...atMostOnce,
    })(order);
    const id = await crashedAfterStep.promise;
    guards.clock.advance(32_000);
    expect(await release(guards.store, id, await stored(id), {})).toMatchObject({ kind: 'done' });
    const again = guards.guarded({
      handler: (_, { idempotency }) => idempotency.step('reserve', reserve),
      ...atMostOnce,
    });
    expect(await again(order)).toBe(1);
    expect(reservations).toBe(1);
  });

  it('gives retries the response that it was completed with, and nothing executes', async () => {
    const { order, id, record } = await crashed();
    const resolution = await complete(guards.store, id, record, { charged: true }, { retentionSeconds: 60 });
    expect(resolution).toMatchObject({ kind: 'done', record: { status: 'COMPLETED', attempt: 1 } });
    expect((await stored(id)).expiration).toBe(Math.ceil((guards.clock.now() + 60_000) / 1000));
    const executed = () => expect.unreachable();
    expect(await retry(order, executed)).toEqual({ charged: true });
  });

  it('is kept no shorter than it would have been, unless told otherwise', async () => {
    const { id, record } = await crashed();
    await complete(guards.store, id, record, 'response', {});
    expect((await stored(id)).expiration).toBe(record.expiration);
    const other = await crashed();
    await release(guards.store, other.id, other.record, {});
    expect((await stored(other.id)).expiration).toBe(other.record.expiration);
    const soon = { ...record, id: `${id}-soon`, expiration: Math.floor(guards.clock.now() / 1000) + 5 };
    await guards.store.insert(soon as never);
    await complete(guards.store, soon.id, soon as never, 'response', {});
    expect((await stored(soon.id)).expiration).toBe(Math.ceil(guards.clock.now() / 1000) + 86_400);
  });

  it('can be completed with no response', async () => {
    const { order, id, record } = await crashed();
    await complete(guards.store, id, record, undefined, {});
    expect(await retry(order)).toBeUndefined();
  });

  it('advises the operator to use these', async () => {
    const { order, id } = await crashed();
    const { advice } = (await thrownBy(retry(order))) as { advice: string };
    expect(advice).toContain(id);
    expect(advice).toMatch(/npx middy-idempotency release.*complete/s);
  });
});

describe('an execution that is still somewhere after its record was resolved', () => {
  it('is not forgotten when it ends after a release: its outcome is stored', async () => {
    const { order, id, record, running, end } = await late(() => ({ late: true }));
    await release(guards.store, id, record, {});
    end();
    expect(await running).toEqual({ late: true });
    const executed = () => expect.unreachable();
    expect(await retry(order, executed)).toEqual({ late: true });
  });

  it('learns that it has lost its lease before its next effect', async () => {
    const { id, record, running, end } = await late(({ extend }) => extend(60_000));
    await release(guards.store, id, record, {});
    end();
    expect(await thrownBy(running)).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('answers with the response that the operator has given, and changes nothing', async () => {
    const { order, id, record, running, end } = await late(() => ({ late: true }));
    await complete(guards.store, id, record, { charged: true }, {});
    end();
    expect(await running).toEqual({ charged: true });
    expect(await retry(order)).toEqual({ charged: true });
  });
});

describe('the fence', () => {
  const takeover = (record: IdempotencyRecord) =>
    guards.store.replace({ ...(record as InProgressRecord), owner: 'successor', attempt: 2 }, record);
  const extension = (record: IdempotencyRecord) => {
    const { leaseUntil } = record as InProgressRecord;
    return guards.store.replace({ ...(record as InProgressRecord), leaseUntil: leaseUntil + 60_000 }, record);
  };

  it.each([
    ['another execution has taken over', takeover],
    ['the owner has extended its lease', extension],
  ])('writes nothing when %s after the record was shown', async (_, happens) => {
    const { id, record } = await crashed();
    await happens(record);
    const changed = await stored(id);
    expect(await release(guards.store, id, record, {})).toEqual({ kind: 'changed', existing: changed });
    expect(await complete(guards.store, id, record, 'r', {})).toEqual({ kind: 'changed', existing: changed });
    expect(await stored(id)).toEqual(changed);
  });

  it.each([
    ['another execution takes over', takeover],
    ['the owner extends its lease', extension],
  ])('writes nothing when %s between its own reading and writing', async (_, happens) => {
    const first = await crashed();
    expect(await release(between(happens), first.id, first.record, {})).toMatchObject({ kind: 'changed' });
    const second = await crashed();
    expect(await complete(between(happens), second.id, second.record, 'r', {})).toMatchObject({ kind: 'changed' });
    for (const { id } of [first, second]) expect(await stored(id)).toMatchObject({ status: 'IN_PROGRESS' });
  });

  it('does not bring back a record that has vanished', async () => {
    const { id, record } = await crashed();
    const vanishing = between(() => guards.store.remove(id, record));
    expect(await release(vanishing, id, record, {})).toEqual({ kind: 'notFound' });
    expect(await complete(guards.store, id, record, 'r', {})).toEqual({ kind: 'notFound' });
    expect(await guards.store.read(id)).toBeUndefined();
  });

  it('recognises its own write when the answer was lost and the SDK has sent it again', async () => {
    const { id, record } = await crashed();
    const { store } = guards;
    const twice: RecordStore = {
      ...store,
      async replace(next, expected) {
        await store.replace(next, expected);
        return store.replace(next, expected);
      },
    };
    expect(await release(twice, id, record, {})).toMatchObject({ kind: 'done' });
  });

  it('cannot be had without the lease that was read', async () => {
    const { id, record } = await crashed();
    const { owner, status } = record;
    await expect(releaseRecord(guards.store, id, { owner, status })).rejects.toThrow(/expected.leaseUntil/);
    await expect(releaseRecord(guards.store, id, {} as never)).rejects.toThrow(/expected/);
  });
});

describe('a live lease', () => {
  it.each([
    ['without force', {}],
    ['with the token of another owner', { force: 'somebody' }],
  ])('is refused %s', async (_, options) => {
    const { id, record } = await crashed(10_000);
    expect(await release(guards.store, id, record, options)).toEqual({ kind: 'live', existing: record });
    expect(await complete(guards.store, id, record, 'r', options)).toEqual({ kind: 'live', existing: record });
    expect(await stored(id)).toEqual(record);
  });

  it('is overruled with the token of its owner', async () => {
    const { order, id, record } = await crashed(10_000);
    expect(await release(guards.store, id, record, { force: record.owner })).toMatchObject({ kind: 'done' });
    expect(await retry(order)).toEqual({ attempt: 2 });
  });

  it('lives until it is over on the clocks of all hosts', async () => {
    const { id, record } = await crashed(30_999);
    expect(await release(guards.store, id, record, {})).toMatchObject({ kind: 'live' });
    guards.clock.advance(1);
    expect(await release(guards.store, id, record, { clockSkewMillis: 5000 })).toMatchObject({ kind: 'live' });
    expect(await release(guards.store, id, record, {})).toMatchObject({ kind: 'done' });
  });
});

describe('a settled record', () => {
  it('keeps the outcome that a client may have seen', async () => {
    const order = newOrder();
    await retry(order);
    const id = guards.events.at(-1)?.id ?? '';
    const record = await stored(id);
    expect(await release(guards.store, id, record, {})).toEqual({ kind: 'settled', existing: record });
    expect(await complete(guards.store, id, record, 'r', {})).toEqual({ kind: 'settled', existing: record });
    expect(await retry(order)).toEqual({ attempt: 1 });
  });

  it('can be completed after a release, when the effect was there after all', async () => {
    const order = newOrder();
    const failing = guards.guarded({ handler: () => Promise.reject(new Error('timeout')), ...atMostOnce });
    await thrownBy(failing(order));
    const id = guards.events.at(-1)?.id ?? '';
    const record = await stored(id);
    expect(await release(guards.store, id, record, {})).toEqual({ kind: 'settled', existing: record });
    expect(await complete(guards.store, id, record, { charged: true }, {})).toMatchObject({ kind: 'done' });
    expect(await retry(order)).toEqual({ charged: true });
  });
});

it('a response that cannot be stored is refused before anything is written', async () => {
  const { id, record } = await crashed();
  for (const response of [1n, new Map([['charged', true]])]) {
    await expect(complete(guards.store, id, record, response, {})).rejects.toThrow(/the response cannot be stored/);
  }
  await expect(complete(guards.store, id, record, 'r', { retentionSeconds: -1 })).rejects.toThrow(/retentionSeconds/);
  expect(await stored(id)).toEqual(record);
});

it('keeps whatever else an unsettled record has: fingerprint and checkpoints', async () => {
  const store = memoryStore();
  const base = { id: 'op#1', owner: 'o', attempt: 3, expiration: 2_500_000_000, fingerprint: 'f' };
  const record = { ...base, status: 'IN_PROGRESS', leaseUntil: 1, checkpoints: { reserve: '{"result":1}' } } as const;
  await store.insert(record);
  await releaseRecord(store, 'op#1', record);
  const released = await store.read('op#1');
  expect(released).toMatchObject({ status: 'RELEASED', attempt: 3, fingerprint: 'f', checkpoints: record.checkpoints });
  expect(released).not.toHaveProperty('leaseUntil');
  expect(released?.owner).not.toBe('o');
});
