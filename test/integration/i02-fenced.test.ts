import { describe, expect, it } from 'vitest';
import { crashing, deferred, lambdaContext, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

/** A lease that ends long before the invocation does. */
const shortLease = { options: { leaseMillis: 30_000 } };
const longInvocation = () => lambdaContext(guards.clock, { remainingMillis: 900_000 });

/** A first execution that outlives its lease, and a second one that has taken over. */
async function overtaken(firstEnds: () => unknown, secondEnds: () => unknown) {
  const order = newOrder();
  const started = deferred();
  const firstGate = deferred();
  const first = guards.guarded({
    handler: async () => {
      started.resolve();
      await firstGate.promise;
      return firstEnds();
    },
    ...shortLease,
  })(order, longInvocation());
  await started.promise;
  guards.clock.advance(31_000);

  const secondStarted = deferred<string>();
  const secondGate = deferred();
  const second = guards.guarded({
    handler: async (_, { idempotency }) => {
      secondStarted.resolve(idempotency.id);
      await secondGate.promise;
      return secondEnds();
    },
  })(order);
  const id = await secondStarted.promise;
  return { order, id, first, second, endFirst: firstGate.resolve, endSecond: secondGate.resolve };
}

const retry = (order: Order) => guards.guarded({ handler: async () => 'executed again' })(order);

describe('I2 fenced: an owner that comes late', () => {
  it('returning, cannot overwrite the record of its running successor, and is told so', async () => {
    const { id, first, second, endFirst, endSecond, order } = await overtaken(
      () => 'first',
      () => 'second',
    );
    const before = await guards.store.read(id);
    endFirst();
    expect(await thrownBy(first)).toMatchObject({ code: 'LEASE_LOST', statusCode: 409 });
    expect(await guards.store.read(id)).toEqual(before);
    endSecond();
    expect(await second).toBe('second');
    expect(await retry(order)).toBe('second');
  });

  it('returning, gets the outcome of its successor when that has completed', async () => {
    const { order, first, second, endFirst, endSecond, id } = await overtaken(
      () => 'first',
      () => 'second',
    );
    endSecond();
    await second;
    const before = await guards.store.read(id);
    endFirst();
    expect(await first).toBe('second');
    expect(await guards.store.read(id)).toEqual(before);
    expect(await retry(order)).toBe('second');
  });

  it('throwing, cannot delete the record of its running successor, and its own error survives', async () => {
    const own = new Error('first failed');
    const { id, order, first, second, endFirst, endSecond } = await overtaken(
      () => Promise.reject(own),
      () => 'second',
    );
    const before = await guards.store.read(id);
    endFirst();
    expect(await thrownBy(first)).toBe(own);
    expect(await guards.store.read(id)).toEqual(before);
    endSecond();
    await second;
    expect(await retry(order)).toBe('second');
  });

  it('throwing, cannot delete the outcome of its successor', async () => {
    const { order, first, second, endFirst, endSecond } = await overtaken(
      () => Promise.reject(new Error('first failed')),
      () => 'second',
    );
    endSecond();
    await second;
    endFirst();
    await thrownBy(first);
    expect(await retry(order)).toBe('second');
  });

  it('cannot extend its lease', async () => {
    const order = newOrder();
    const started = deferred();
    const gate = deferred();
    const first = guards.guarded({
      handler: async (_, { idempotency }) => {
        started.resolve();
        await gate.promise;
        await idempotency.extend(60_000);
      },
      ...shortLease,
    })(order, longInvocation());
    await started.promise;
    guards.clock.advance(31_000);
    await guards.guarded({ handler: async () => 'second' })(order);
    gate.resolve();
    expect(await thrownBy(first)).toMatchObject({ code: 'LEASE_LOST' });
    expect(await retry(order)).toBe('second');
  });

  it('returning after its successor has failed and released, is remembered: its work is done', async () => {
    const { order, first, second, endFirst, endSecond } = await overtaken(
      () => 'first',
      () => Promise.reject(new Error('second failed')),
    );
    endSecond();
    await thrownBy(second);
    endFirst();
    expect(await first).toBe('first');
    expect(await retry(order)).toBe('first');
  });

  it('counts the attempts, as a fencing number for systems downstream', async () => {
    const order = newOrder();
    const attempts: number[] = [];
    for (let attempt = 1; attempt <= 3; attempt++) {
      const started = deferred<number>();
      void guards.guarded({ handler: crashing(({ idempotency }) => started.resolve(idempotency.attempt)) })(order);
      attempts.push(await started.promise);
      guards.clock.advance(31_000);
    }
    expect(attempts).toEqual([1, 2, 3]);
  });
});

describe('I2 fenced: a guarded function that comes late', () => {
  it('gets the outcome of its successor, and cannot change it', async () => {
    const order = newOrder();
    const started = deferred();
    const gate = deferred();
    const slow = guards.idempotent(async (_order: Order) => {
      started.resolve();
      await gate.promise;
      return 'first';
    });
    const first = slow(order);
    await started.promise;
    guards.clock.advance(61_000);
    expect(await guards.idempotent(async (_order: Order) => 'second')(order)).toBe('second');
    gate.resolve();
    expect(await first).toBe('second');
  });

  it('is told LEASE_LOST while its successor is running', async () => {
    const order = newOrder();
    const gate = deferred();
    const started = deferred();
    const first = guards.idempotent(async (_order: Order) => {
      started.resolve();
      await gate.promise;
    })(order);
    await started.promise;
    guards.clock.advance(61_000);
    const secondStarted = deferred();
    void guards.idempotent(crashing(() => secondStarted.resolve()) as (order: Order) => unknown)(order);
    await secondStarted.promise;
    gate.resolve();
    expect(await thrownBy(first)).toMatchObject({ code: 'LEASE_LOST' });
    expect(guards.eventTypes()).toContain('leaseLost');
  });
});
