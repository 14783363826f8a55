import fc from 'fast-check';
import type { RecordStore } from 'middy-idempotency';
import { describe, expect, it } from 'vitest';
import { type Order, type OrderOutcome, orderSaga, type Services } from '../../../infra/examples/order-saga.ts';
import { deferred, thrownBy, useGuards } from '../../support/harness.ts';
import { type Fault, faults, type NextFault, Shop } from './shop.ts';

const guards = useGuards();
const LEASE_MILLIS = 30_000;
const newOrder = (): Order => ({ id: crypto.randomUUID(), sku: 'teapot', quantity: 1, amount: 1999 });

/** A process that places orders, until it crashes. */
function processWith(shop: Shop, next?: NextFault, onCrash?: () => void) {
  const faulty = faults(next, onCrash);
  const { store } = guards;
  const faultyStore: RecordStore = {
    ...store,
    insert: (...args) => faulty('insert', () => store.insert(...args)),
    replace: (...args) => faulty('replace', () => store.replace(...args)),
  };
  const options = { store: faultyStore, operation: 'place-order', leaseMillis: LEASE_MILLIS, passHandle: true };
  const saga = orderSaga(shop.services(faulty)) as (order: Order) => Promise<OrderOutcome>;
  return guards.idempotent(saga, options) as (order: Order) => Promise<OrderOutcome>;
}

/** One delivery of the order: to its outcome, its error, or the crash of the process. */
async function deliver(shop: Shop, order: Order, next?: NextFault): Promise<OrderOutcome | 'failed' | 'crashed'> {
  const crashed = deferred<'crashed'>();
  const place = processWith(shop, next, () => crashed.resolve('crashed'));
  const placed = place(order).catch(() => 'failed' as const);
  const end = await Promise.race([placed, crashed.promise]);
  // What a queue does, too: it delivers again when the lease is over.
  guards.clock.advance(2 * LEASE_MILLIS);
  return end;
}

/** Delivers the order until there is an outcome, with a fault at each of these calls (counted over all deliveries). */
async function deliverUntilDone(shop: Shop, order: Order, planned: ReadonlyMap<number, Fault>) {
  let calls = 0;
  const next: NextFault = () => planned.get(calls++);
  for (let delivery = 0; delivery < 20; delivery++) {
    const outcome = await deliver(shop, order, next);
    if (typeof outcome === 'object') return { outcome, calls };
  }
  throw new Error('the order was never done');
}

const NOTHING = { stock: 0, money: 0, shipments: 0 };
const SCENARIOS = {
  'everything works': {
    refusing: undefined,
    status: 'placed',
    effects: ['reserveStock', 'charge', 'bookShipping'],
    balance: { stock: 1, money: 1, shipments: 1 },
  },
  'there is no stock': { refusing: 'reserveStock', status: 'cancelled', effects: [], balance: NOTHING },
  'the card is declined': {
    refusing: 'charge',
    status: 'cancelled',
    effects: ['reserveStock', 'releaseStock'],
    balance: NOTHING,
  },
  'nobody ships there': {
    refusing: 'bookShipping',
    status: 'cancelled',
    effects: ['reserveStock', 'charge', 'refund', 'releaseStock'],
    balance: NOTHING,
  },
} as const satisfies Record<string, { refusing: keyof Services | undefined; [rest: string]: unknown }>;

describe.each(Object.entries(SCENARIOS))('an order, when %s', (_, { refusing, status, effects, balance }) => {
  it('does each thing once, and undoes each once, the last one first', async () => {
    const shop = new Shop(refusing);
    expect(await deliver(shop, newOrder())).toMatchObject({ status });
    expect(shop.effects).toEqual(effects);
    expect(shop.balance()).toEqual(balance);
  });

  it('ends in the same way after a crash or an error at any call of a service or the table', async () => {
    const { calls } = await deliverUntilDone(new Shop(refusing), newOrder(), new Map());
    expect(calls).toBeGreaterThan(3);
    for (let call = 0; call < calls; call++) {
      for (const fault of ['crash before', 'crash after', 'throw before', 'throw after'] as const) {
        const shop = new Shop(refusing);
        const { outcome } = await deliverUntilDone(shop, newOrder(), new Map([[call, fault]]));
        expect([call, fault, outcome.status, shop.effects]).toEqual([call, fault, status, effects]);
      }
    }
  });

  it('ends in the same way after any number of them', { timeout: 60_000 }, async () => {
    const fault = fc.constantFrom<Fault>('crash before', 'crash after', 'throw before', 'throw after');
    const plans = fc.array(fc.tuple(fc.nat({ max: 25 }), fault), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(plans, async (planned) => {
        const shop = new Shop(refusing);
        const order = newOrder();
        const { outcome } = await deliverUntilDone(shop, order, new Map(planned));
        expect([outcome.status, shop.effects]).toEqual([status, effects]);
        expect(await deliver(shop, order)).toEqual(outcome);
        expect(shop.effects).toEqual(effects);
      }),
      { numRuns: 15, seed: 8 },
    );
  });
});

describe('an order that was refused once', () => {
  it('is not taken up again when the service would now agree: what was undone stays undone', async () => {
    const [declining, agreeing] = [new Shop('charge'), new Shop()];
    const order = newOrder();
    const crashAtRelease: NextFault = (call) => (call === 'releaseStock' ? 'crash after' : undefined);
    expect(await deliver(declining, order, crashAtRelease)).toBe('crashed');
    expect(await deliver(agreeing, order)).toMatchObject({ status: 'cancelled', reason: 'no charge' });
    expect(agreeing.effects).not.toContain('charge');
    expect(agreeing.effects).not.toContain('bookShipping');
  });
});

describe('an order whose process comes back to life after another one has taken over', () => {
  it('goes no further: it neither charges again nor undoes anything', async () => {
    const shop = new Shop();
    const [asleep, wake] = [deferred(), deferred()];
    const order = newOrder();
    const services = shop.services(faults());
    const sleeping: Services = {
      ...services,
      async charge(...args) {
        const answer = await services.charge(...args);
        asleep.resolve();
        await wake.promise;
        return answer;
      },
    };
    const saga = orderSaga(sleeping) as (order: Order) => Promise<OrderOutcome>;
    const options = { operation: 'place-order', leaseMillis: LEASE_MILLIS, passHandle: true };
    const first = thrownBy(guards.idempotent(saga, options)(order));
    await asleep.promise;
    guards.clock.advance(2 * LEASE_MILLIS);
    expect(await deliver(shop, order)).toMatchObject({ status: 'placed' });
    wake.resolve();
    expect(await first).toMatchObject({ code: 'LEASE_LOST' });
    expect(shop.effects).toEqual(['reserveStock', 'charge', 'bookShipping']);
  });

  it('is refused while the other one is at work', async () => {
    const shop = new Shop();
    const order = newOrder();
    const [started, finish] = [deferred(), deferred()];
    const services = shop.services(faults());
    const slow: Services = {
      ...services,
      async reserveStock(...args) {
        started.resolve();
        await finish.promise;
        return services.reserveStock(...args);
      },
    };
    const saga = orderSaga(slow) as (order: Order) => Promise<OrderOutcome>;
    const options = { operation: 'place-order', leaseMillis: LEASE_MILLIS, passHandle: true };
    const first = guards.idempotent(saga, options)(order);
    await started.promise;
    expect(await thrownBy(processWith(shop)(order))).toMatchObject({ code: 'IN_FLIGHT' });
    finish.resolve();
    expect(await first).toMatchObject({ status: 'placed' });
    expect(shop.effects).toEqual(['reserveStock', 'charge', 'bookShipping']);
  });
});
