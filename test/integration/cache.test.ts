import { randomUUID } from 'node:crypto';
import type { GuardedContext, RecordStore } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { deferred, MIDDY_VERSIONS, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';
import { useApi } from '../support/http-harness.ts';

const guards = useGuards();
const api = useApi();
beforeEach(() => {
  requests = 0;
});

/** Requests to the store since the test began. */
let requests = 0;
const counted = <Args extends unknown[], Answer>(verb: (...args: Args) => Answer) => {
  return (...args: Args): Answer => {
    requests++;
    return verb(...args);
  };
};
const counting = ({ insert, replace, remove, read }: RecordStore): RecordStore => ({
  insert: counted(insert),
  replace: counted(replace),
  remove: counted(remove),
  read: counted(read),
});
const cached = (more: object = {}) => ({ store: counting(guards.store), cache: { maxEntries: 100 }, ...more });
/** What a call costs. */
async function costOf(call: () => Promise<unknown>): Promise<number> {
  const before = requests;
  await call();
  return requests - before;
}

describe.each(MIDDY_VERSIONS)('a replay from the cache, with %s', (_, middy) => {
  it('costs no request, when this process completed the request', async () => {
    const handler = vi.fn(async () => ({ at: new Date(0) }));
    const call = guards.guarded({ middy, handler, options: cached() });
    const order = newOrder();
    expect(await costOf(() => call(order))).toBe(2);
    expect(await costOf(() => call(order))).toBe(0);
    expect(await call(order)).toEqual({ at: '1970-01-01T00:00:00.000Z' });
    expect(handler).toHaveBeenCalledTimes(1);
    const replayed = { type: 'replayed', fromCache: true, operation: 'test', attempt: 1, durationMillis: 0 };
    expect(guards.events.slice(2)).toEqual([1, 2].map(() => ({ ...replayed, id: guards.events[0]?.id })));
  });

  it('costs no request from the second one on, when another process completed it', async () => {
    const order = newOrder();
    await guards.guarded({ middy, handler: async () => 'done' })(order);
    const call = guards.guarded({ middy, handler: vi.fn(), options: cached() });
    expect([await costOf(() => call(order)), await costOf(() => call(order))]).toEqual([1, 0]);
    expect(await call(order)).toBe('done');
    expect(guards.events.map((event) => 'fromCache' in event)).toEqual([false, false, false, true, true]);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a list', [1, { two: 2 }]],
  ])('is what the first caller saw: %s', async (_name, response) => {
    const call = guards.guarded({ middy, handler: async () => response, options: cached() });
    const order = newOrder();
    await call(order);
    expect(await call(order)).toStrictEqual(response);
    expect(requests).toBe(2);
  });

  it('is a fresh object every time, also an error', async () => {
    const call = guards.guarded({ middy, handler: async () => ({ body: { amount: 1 } }), options: cached() });
    const order = newOrder();
    for (let time = 1; time <= 3; time++) {
      const answer = (await call(order)) as { body: { amount: number } };
      expect(answer.body.amount).toBe(1);
      answer.body.amount = 99;
    }
    const failed = new Error('declined');
    const failing = guards.guarded({
      middy,
      handler: async () => {
        throw failed;
      },
      options: cached({ settle: () => 'store' }),
    });
    const other = newOrder();
    expect(await thrownBy(failing(other))).toBe(failed);
    const [first, second] = [await thrownBy(failing(other)), await thrownBy(failing(other))];
    expect(first).toMatchObject({ message: 'declined' });
    expect(first).not.toBe(second);
    expect(requests).toBe(4);
  });
});

it('a guarded function replays from the cache', async () => {
  const charge = vi.fn(async (_order: Order) => 'charged');
  const chargeOnce = guards.idempotent(charge, cached());
  const order = newOrder();
  expect([await chargeOnce(order), await chargeOnce(order)]).toEqual(['charged', 'charged']);
  expect(requests).toBe(2);
});

it('a replay over HTTP is marked as one', async () => {
  const handler = vi.fn(async () => ({ statusCode: 201, body: '{}', headers: { date: 'now' } }));
  const store = counting(dynamoDBStore(api.table));
  const post = api.api({ handler, options: { store, cache: { maxEntries: 1 } } });
  const request = { body: '{"amount":1}', headers: [['Idempotency-Key', randomUUID()]] as [string, string][] };
  expect((await post(request)).headers).not.toHaveProperty('idempotent-replayed');
  expect(await post(request)).toMatchObject({ statusCode: 201, headers: { 'idempotent-replayed': 'true' } });
  expect(requests).toBe(2);
  expect((await post({ ...request, body: '{"amount":2}' })).statusCode).toBe(422);
  expect(requests).toBe(2);
});

describe('the cache', () => {
  it('is off by default: every replay costs a request', async () => {
    const call = guards.guarded({ handler: async () => 'done', options: { store: counting(guards.store) } });
    const order = newOrder();
    await call(order);
    expect([await costOf(() => call(order)), await costOf(() => call(order))]).toEqual([1, 1]);
  });

  it('refuses another payload, as the store would', async () => {
    const call = guards.guarded({ handler: async () => 'done', options: cached({ fingerprint: 'amount' }) });
    const order = newOrder();
    await call(order);
    const reused = call({ ...order, amount: 11 });
    expect(await thrownBy(reused)).toMatchObject({ code: 'KEY_REUSED' });
    expect(requests).toBe(2);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'keyReused']);
  });

  it('never outlives the retention, and asks the store before a clock elsewhere could see it over', async () => {
    const handler = vi.fn(async () => 'done');
    const call = guards.guarded({ handler, options: cached({ retentionSeconds: 60, clockSkewMillis: 1000 }) });
    const order = newOrder();
    await call(order);
    guards.clock.advance(58_999);
    expect(await costOf(() => call(order))).toBe(0);
    guards.clock.advance(1);
    expect(await costOf(() => call(order))).toBe(1);
    expect(handler).toHaveBeenCalledTimes(1);
    guards.clock.advance(1000);
    expect(await costOf(() => call(order))).toBe(3);
    expect(handler).toHaveBeenCalledTimes(2);
    expect(await costOf(() => call(order))).toBe(0);
  });

  it('keeps as many entries as it was told, those that were used last', async () => {
    const call = guards.guarded({ handler: async () => 'done', options: cached({ cache: { maxEntries: 2 } }) });
    const [first, second, third] = [newOrder(), newOrder(), newOrder()];
    await call(first);
    await call(second);
    expect(await costOf(() => call(first))).toBe(0);
    await call(third);
    expect([await costOf(() => call(first)), await costOf(() => call(third))]).toEqual([0, 0]);
    expect(await costOf(() => call(second))).toBe(1);
  });

  it('belongs to one guard', async () => {
    const order = newOrder();
    await guards.guarded({ handler: async () => 'done', options: cached() })(order);
    const other = guards.guarded({ handler: vi.fn(), options: cached() });
    expect(await costOf(() => other(order))).toBe(1);
  });

  it('has no response that could not be stored: the store is asked again', async () => {
    const call = guards.guarded({ handler: async () => 1n, options: cached() });
    const order = newOrder();
    await call(order);
    const retry = () => costOf(() => thrownBy(call(order)));
    expect([await retry(), await retry()]).toEqual([1, 1]);
  });

  it('has nothing of a request that was released', async () => {
    const handler = vi.fn(async () => 'done').mockRejectedValueOnce(new Error('failed'));
    const call = guards.guarded({ handler, options: cached() });
    const order = newOrder();
    await thrownBy(call(order));
    expect(await call(order)).toBe('done');
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('has nothing of an outcome whose write failed', async () => {
    const replace = async () => {
      // No time is left to try again.
      guards.clock.advance(40_000);
      throw new Error('down');
    };
    const handler = vi.fn(async () => 'done');
    const order = newOrder();
    const call = guards.guarded({ handler, options: cached({ store: { ...guards.store, replace } }) });
    await call(order);
    expect(guards.eventTypes()).toEqual(['claimed', 'completionFailed']);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });
});

describe('an outcome that the handler stores itself', () => {
  const completing =
    (end: () => unknown) =>
    async (_event: unknown, { idempotency }: GuardedContext) => {
      await idempotency.complete('done');
      return end();
    };
  const throwing = () => {
    throw new Error('the mail was not sent');
  };

  it.each([
    ['returns the same', () => 'done', 'done'],
    ['returns something else, which is stored then', () => 'more', 'more'],
    ['throws', throwing, 'done'],
  ])('is cached as it is in the end, when the handler %s', async (_name, end, outcome) => {
    const order = newOrder();
    const call = guards.guarded({ handler: completing(end), options: cached() });
    await call(order).catch(() => undefined);
    expect(await costOf(async () => expect(await call(order)).toBe(outcome))).toBe(0);
  });

  it('is not cached elsewhere before the handler has ended', async () => {
    const order = newOrder();
    const gate = deferred<string>();
    const first = guards.guarded({ handler: completing(() => gate.promise), options: cached() })(order);
    await vi.waitFor(() => expect(guards.eventTypes()).toContain('completed'));
    const elsewhere = guards.guarded({ handler: vi.fn(), options: cached() });
    expect(await elsewhere(order)).toBe('done');
    gate.resolve('more');
    expect(await first).toBe('more');
    expect(await elsewhere(order)).toBe('more');
    expect(await costOf(async () => expect(await elsewhere(order)).toBe('more'))).toBe(0);
  });
});

describe('an outcome that a later hook changes', () => {
  const failing = {
    after: async () => {
      throw new Error('an after hook failed');
    },
  };

  it('is cached as it is in the end, here and elsewhere', async () => {
    const order = newOrder();
    const began = deferred();
    const gate = deferred();
    const made = { statusCode: 500, body: 'sorry' };
    const slow = {
      onError: async (request: { response: unknown }) => {
        began.resolve();
        await gate.promise;
        request.response = made;
      },
    };
    const behind = [slow, failing] as never;
    const here = guards.guarded({ handler: async () => 'done', behind, options: cached() });
    const elsewhere = guards.guarded({ handler: vi.fn(), options: cached() });
    const first = here(order);
    await began.promise;
    await vi.waitFor(() => expect(guards.eventTypes()).toContain('completed'));
    // What is stored for the moment.
    expect(await thrownBy(elsewhere(order))).toMatchObject({ message: 'an after hook failed' });
    gate.resolve();
    expect(await first).toEqual(made);
    expect(await costOf(async () => expect(await here(order)).toEqual(made))).toBe(0);
    expect(await costOf(async () => expect(await elsewhere(order)).toEqual(made))).toBe(1);
    expect(await costOf(async () => expect(await elsewhere(order)).toEqual(made))).toBe(0);
  });

  it('is not cached here before its end: the answer to the write of the last one may be lost', async () => {
    const { store } = guards;
    const made = { statusCode: 500, body: 'sorry' };
    const repairs = {
      onError: async (request: { response: unknown }) => {
        request.response = made;
      },
    };
    const replace = vi
      .fn(store.replace)
      .mockImplementationOnce(store.replace)
      .mockImplementationOnce(async (...args) => {
        await store.replace(...args);
        // No time is left to try again.
        guards.clock.advance(40_000);
        throw new Error('the answer was lost');
      });
    const options = cached({ store: { ...store, replace } });
    const order = newOrder();
    const call = guards.guarded({ handler: async () => 'done', behind: [repairs, failing] as never, options });
    expect(await call(order)).toEqual(made);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'completionFailed']);
    await call(order);
    expect(guards.events.at(-1)).toMatchObject({ type: 'replayed' });
    expect(guards.events.at(-1)).not.toHaveProperty('fromCache');
  });

  it('is cached here when the hooks of the error path have left it as it was', async () => {
    const order = newOrder();
    const call = guards.guarded({ handler: async () => 'done', behind: [failing] as never, options: cached() });
    await thrownBy(call(order));
    expect(guards.eventTypes()).toEqual(['claimed', 'completed']);
    expect(await costOf(() => thrownBy(call(order)))).toBe(0);
  });
});
