import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { lambdaContext, MIDDY_VERSIONS, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

describe('I10 no cross-talk', () => {
  it('two operations never share a record', async () => {
    const order = newOrder();
    const pay = guards.guarded({ handler: async () => 'paid', options: { operation: 'pay' } });
    const ship = guards.guarded({ handler: async () => 'shipped', options: { operation: 'ship' } });
    expect(await pay(order)).toBe('paid');
    expect(await ship(order)).toBe('shipped');
    expect(await pay(order)).toBe('paid');
  });

  it('two scopes never share a record', async () => {
    const call = guards.guarded({
      handler: async (event) => (event as unknown as { tenant: string }).tenant,
      options: { scope: 'tenant' },
    });
    const { id } = newOrder();
    expect(await call({ id, tenant: 'a' })).toBe('a');
    expect(await call({ id, tenant: 'b' })).toBe('b');
    expect(await call({ id, tenant: 'a' })).toBe('a');
  });

  it('a scope and a key cannot be shifted into each other', async () => {
    const handler = vi.fn(async () => 'done');
    const call = guards.guarded({ handler, options: { scope: 'tenant', operation: randomUUID() } });
    await call({ tenant: 'a', id: 'b,c' });
    await call({ tenant: 'a","b', id: 'c' });
    await call({ tenant: 'a,b', id: 'c' });
    expect(handler).toHaveBeenCalledTimes(3);
  });

  it('two differently configured guards on one store, nested, keep their own options and records', async () => {
    const { clock, store } = guards;
    const order = newOrder();
    const charge = vi.fn(async (charged: Order) => ({ charged: charged.id }));
    const chargeOnce = guards.idempotent(charge, { operation: 'charge', retentionSeconds: 10, leaseMillis: 5000 });
    const ids: string[] = [];
    const call = guards.guarded({
      handler: async (event, { idempotency }) => {
        ids.push(idempotency.id);
        const charged = await chargeOnce(event);
        return { statusCode: 201, charged };
      },
      options: { operation: 'pay', retentionSeconds: 1000, onEvent: () => undefined },
    });
    guards.events.length = 0;
    const first = await call(order);
    expect(await call(order)).toEqual(first);
    expect(charge).toHaveBeenCalledTimes(1);
    const [inner] = guards.events;
    expect(await store.read(inner?.id ?? '')).toMatchObject({ expiration: clock.now() / 1000 + 10 });
    expect(await store.read(ids[0] ?? '')).toMatchObject({ expiration: clock.now() / 1000 + 1000 });
  });

  it('concurrent requests through one guard keep their own records, answers and handles', async () => {
    const call = guards.guarded({
      handler: async (event, { idempotency }) => {
        await new Promise((resolve) => setImmediate(resolve));
        return { order: event.id, key: idempotency.deriveKey('charge') };
      },
    });
    const orders = Array.from({ length: 50 }, newOrder);
    const answers = (await Promise.all(orders.map((order) => call(order)))) as { order: string; key: string }[];
    expect(answers.map(({ order }) => order)).toEqual(orders.map(({ id }) => id));
    expect(new Set(answers.map(({ key }) => key)).size).toBe(50);
    expect(await Promise.all(orders.map((order) => call(order)))).toEqual(answers);
  });

  it('a context object that invocations share does not mix up their handles', async () => {
    const context = lambdaContext(guards.clock);
    const call = guards.guarded({
      handler: async (_, own) => {
        await new Promise((resolve) => setImmediate(resolve));
        return own.idempotency.id;
      },
    });
    const ids = await Promise.all(Array.from({ length: 10 }, () => call(newOrder(), context)));
    expect(new Set(ids).size).toBe(10);
  });

  it('a frozen context is no obstacle', async () => {
    const call = guards.guarded({ handler: async (_, { idempotency }) => idempotency.attempt });
    expect(await call(newOrder(), Object.freeze(lambdaContext(guards.clock)))).toBe(1);
  });

  it.each(MIDDY_VERSIONS)('two guards in one chain of %s each keep a record of their own', async (_, middy) => {
    const settled: string[] = [];
    const outerOptions = { operation: 'outer', onEvent: (event: { type: string }) => void settled.push(event.type) };
    const handler = vi.fn(async () => 'done');
    const inner = { clock: guards.clock };
    const order = newOrder();
    const { createIdempotency } = await import('../../src/middy/idempotency.ts');
    const second = createIdempotency({ store: guards.store, key: 'id', operation: 'inner' } as never, inner.clock);
    const call = guards.guarded({ middy, handler, options: outerOptions as never, behind: [second] as never });
    expect(await call(order)).toBe('done');
    expect(settled).toEqual(['claimed', 'completed']);
    expect(await call(order)).toBe('done');
    expect(handler).toHaveBeenCalledTimes(1);

    // The outer record gone, the inner one still answers, and the outer one stores that.
    const other = guards.guarded({
      middy,
      handler,
      options: { ...outerOptions, operation: 'other' } as never,
      behind: [second] as never,
    });
    expect(await other(order)).toBe('done');
    expect(await other(order)).toBe('done');
    expect(handler).toHaveBeenCalledTimes(1);
    expect(settled.slice(-3)).toEqual(['claimed', 'completed', 'replayed']);
  });

  it.each(MIDDY_VERSIONS)(
    'two guards in one chain of %s: one that lost its lease does not keep the other from storing',
    async (_, middy) => {
      const { createIdempotency } = await import('../../src/middy/idempotency.ts');
      const innerEvents: string[] = [];
      const inner = createIdempotency(
        {
          store: guards.store,
          key: 'id',
          operation: 'inner-2',
          onEvent: ({ type }: { type: string }) => void innerEvents.push(type),
        } as never,
        guards.clock,
      );
      const order = newOrder();
      const outerOptions = { operation: 'outer-2', leaseMillis: 1000, timeoutEarlyInMillis: 0 };
      const answersEarly = { after: async () => 'early' };
      const call = guards.guarded({
        middy,
        options: outerOptions,
        behind: [inner, answersEarly] as never,
        handler: async () => {
          guards.clock.advance(3000);
          // Somebody takes the outer record over, and is still at work.
          void guards.guarded({ middy, options: outerOptions, handler: () => new Promise(() => undefined) })(order);
          await vi.waitFor(() => expect(guards.events.at(-1)).toMatchObject({ type: 'takenOver' }));
          return 'done';
        },
      });
      guards.events.length = 0;
      expect(await thrownBy(call(order, lambdaContext(guards.clock, { remainingMillis: 60_000 })))).toMatchObject({
        code: 'LEASE_LOST',
      });
      expect(innerEvents).toEqual(['claimed', 'completed']);
    },
  );

  it('a failing onEvent callback changes nothing', async () => {
    for (const onEvent of [
      () => {
        throw new Error('metrics are down');
      },
      async () => {
        throw new Error('metrics are down');
      },
    ]) {
      const call = guards.guarded({ handler: async () => 'done', options: { onEvent } });
      expect(await call(newOrder())).toBe('done');
    }
  });

  it("a request's failure leaves nothing behind for the next", async () => {
    const call = guards.guarded({ handler: async (event) => event.id });
    await thrownBy(call({}));
    const order = newOrder();
    expect(await call(order)).toBe(order.id);
  });
});
