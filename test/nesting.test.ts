import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import {
  deferred,
  lambdaContext,
  MIDDY_VERSIONS,
  newOrder,
  type Order,
  thrownBy,
  useGuards,
  VirtualClock,
} from './support/harness.ts';

const guards = useGuards(() => memoryStore());
const WAITING = { onInFlight: { waitMillis: 120_000 }, leaseMillis: 1000 };
const REFUSED = { code: 'IN_FLIGHT', advice: expect.stringContaining('another operation, or another key') };

describe('a guarded call inside the execution of the same request', () => {
  it('is refused at once with advice, and never takes over from its caller', async () => {
    const clock = new VirtualClock();
    let depth = 0;
    const charge: (order: Order) => Promise<unknown> = guards.idempotent(
      async (order: Order) => (++depth < 4 ? charge(order) : 'charged'),
      WAITING,
      clock,
    );
    expect(await thrownBy(charge(newOrder()))).toMatchObject(REFUSED);
    expect(depth).toBe(1);
    expect(clock.monotonic()).toBe(0);
    expect(guards.eventTypes()).toEqual(['claimed', 'refused', 'released']);
  });

  it.each(MIDDY_VERSIONS)('is refused inside a handler of %s', async (_, middy) => {
    const charge = guards.idempotent(async (_order: Order) => 'charged', WAITING);
    const handler = vi.fn(async (order: Order) => {
      await Promise.resolve();
      return charge(order);
    });
    expect(await thrownBy(guards.guarded({ middy, handler, options: WAITING })(newOrder()))).toMatchObject(REFUSED);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('is refused through a call of another request between them', async () => {
    const inner = guards.idempotent(async (order: Order) => order.id, WAITING);
    const between = guards.idempotent(async (order: Order) => inner(order), { operation: 'between' });
    const outer = guards.idempotent(async (order: Order) => between(order), WAITING);
    expect(await thrownBy(outer(newOrder()))).toMatchObject(REFUSED);
  });

  it('may have another operation, or another key', async () => {
    const charge = guards.idempotent(async (order: Order) => order.id, { operation: 'charge' });
    const pay = guards.idempotent(async (order: Order) => [await charge(order), await charge({ id: 'other' })]);
    expect(await pay({ id: 'one' })).toEqual(['one', 'other']);
  });

  it('gets the response that its caller has stored by complete', async () => {
    const charge: (order: Order) => Promise<unknown> = guards.idempotent(
      async (order: Order, handle: { complete(response: unknown): Promise<void> }) => {
        await handle.complete('charged');
        return charge(order);
      },
      { passHandle: true },
    ) as never;
    expect(await charge(newOrder())).toBe('charged');
  });
});

describe('a duplicate in the same process', () => {
  it('is no nested call: it waits for the other one, in a function', async () => {
    const order = newOrder();
    const release = deferred();
    const charge = guards.idempotent(async (_: Order) => release.promise.then(() => 'charged'), WAITING);
    const both = [charge(order), charge(order)];
    release.resolve();
    expect(await Promise.all(both)).toEqual(['charged', 'charged']);
  });

  it.each(MIDDY_VERSIONS)('is no nested call: it waits for the other one, in %s', async (_, middy) => {
    const order = newOrder();
    const release = deferred();
    const handler = vi.fn(async () => release.promise.then(() => 'charged'));
    const call = guards.guarded({ middy, handler, options: { onInFlight: { waitMillis: 10_000 } } });
    const both = [call(order, lambdaContext()), call(order, lambdaContext())];
    release.resolve();
    expect(await Promise.all(both)).toEqual(['charged', 'charged']);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('is no nested call after the first one has ended, whoever makes it', async () => {
    const order = newOrder();
    const later = deferred();
    let late: Promise<unknown> | undefined;
    const charge: (order: Order) => Promise<unknown> = guards.idempotent(async () => {
      late = later.promise.then(() => charge(order));
      return 'charged';
    });
    await charge(order);
    later.resolve();
    expect(await late).toBe('charged');
  });
});
