import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { IdempotencyHandle } from '../../src/index.ts';
import { type Body, handling, useExecutions } from '../support/execution-harness.ts';
import type { DynamoDBRequest } from '../support/fault-proxy.ts';
import { crashing, deferred, lambdaContext, MIDDY_VERSIONS, newOrder, thrownBy } from '../support/harness.ts';
import { useApi } from '../support/http-harness.ts';

const { guards, proxy, throughProxy } = useExecutions();

afterEach(() => vi.useRealTimers());

const isCompletion = ({ body }: DynamoDBRequest) => body.includes('COMPLETED');

const paid = { statusCode: 201, body: 'paid' };
const own = new Error('the mail could not be sent');

describe.each(MIDDY_VERSIONS)('complete is the point of no return, with %s', (_, middy) => {
  it('a throw after it reaches the first caller as it is, and a retry gets the response', async () => {
    const body = vi.fn<Body>(async ({ complete }) => {
      await complete(paid);
      throw own;
    });
    const call = guards.guarded({ middy, handler: handling(body) });
    const order = newOrder();
    expect(await thrownBy(call(order))).toBe(own);
    expect(await call(order)).toEqual(paid);
    expect(body).toHaveBeenCalledTimes(1);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('so is a response that an error handler makes of that throw: it is not stored', async () => {
    const handlesErrors = {
      onError: async (request: { response: unknown }) => {
        request.response = { statusCode: 500 };
      },
    };
    const body: Body = async ({ complete }) => {
      await complete(paid);
      throw own;
    };
    const call = guards.guarded({ middy, handler: handling(body), behind: [handlesErrors] as never });
    const order = newOrder();
    expect(await call(order)).toEqual({ statusCode: 500 });
    expect(await call(order)).toEqual(paid);
  });

  it('and so is what an after hook throws, or an error handler makes of that', async () => {
    const makes = {
      onError: async (request: { response: unknown }) => {
        request.response = { statusCode: 500 };
      },
    };
    const throws = {
      after: async () => {
        throw own;
      },
    };
    const body: Body = async ({ complete }) => {
      await complete(paid);
      return paid;
    };
    for (const behind of [[throws], [makes, throws]]) {
      const order = newOrder();
      const first = guards.guarded({ middy, handler: handling(body), behind: behind as never })(order);
      expect(await first.catch((error: unknown) => error)).toEqual(behind.length === 1 ? own : { statusCode: 500 });
      expect(await guards.guarded({ middy, handler: handling(body) })(order)).toEqual(paid);
    }
  });

  it('a retry after a crash gets the response at once', async () => {
    const reached = deferred();
    const order = newOrder();
    void guards.guarded({
      middy,
      handler: async (event, context) => {
        await context.idempotency.complete(paid);
        return crashing(() => reached.resolve())(event, context);
      },
    })(order);
    await reached.promise;
    expect(await guards.guarded({ middy, handler: async () => 'executed again' })(order)).toEqual(paid);
  });

  it("Middy's timeout after it changes nothing", async () => {
    // Only that of Middy is to pass, and not before the response is stored.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const gate = deferred();
    const body: Body = async ({ complete }) => {
      await complete(paid);
      vi.advanceTimersByTime(200);
      await gate.promise;
    };
    const call = guards.guarded({ middy, handler: handling(body), plugin: { timeoutEarlyInMillis: 29_900 } });
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ name: 'TimeoutError' });
    vi.useRealTimers();
    gate.resolve();
    expect(await call(order)).toEqual(paid);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('what the caller saw in the end is stored, where a hook has changed it', async () => {
    const decorates = {
      after: async (request: { response: object }) => {
        request.response = { ...request.response, headers: { 'x-decorated': '1' } };
      },
    };
    const body: Body = async ({ complete }) => {
      await complete(paid);
      return paid;
    };
    const order = newOrder();
    const call = guards.guarded({ middy, handler: handling(body), behind: [decorates] as never });
    const first = await call(order);
    expect(first).toEqual({ ...paid, headers: { 'x-decorated': '1' } });
    expect(await call(order)).toEqual(first);
  });
});

describe('complete in a guarded function', () => {
  const call = (body: Body, options: object = {}) =>
    guards.idempotent(async (_order: object, handle?: IdempotencyHandle) => body(handle as IdempotencyHandle), {
      passHandle: true,
      ...options,
    });

  it('costs no further write when the same is returned, and one more when it is not', async () => {
    const options = { store: throughProxy() };
    const same = { amount: 10, at: new Date(0) };
    await call(async ({ complete }) => complete(same).then(() => same), options)(newOrder());
    expect(proxy.seen.splice(0).map(({ operation }) => operation)).toEqual(['PutItem', 'PutItem']);
    const order = newOrder();
    const differs = call(async ({ complete }) => complete(same).then(() => 'other'), options);
    expect(await differs(order)).toBe('other');
    expect(proxy.seen.splice(0)).toHaveLength(3);
    expect(await differs(order)).toBe('other');
  });

  it('does not ask the settle policy', async () => {
    const settle = vi.fn(() => 'release' as const);
    for (const end of [async () => paid, async () => Promise.reject(own)]) {
      const order = newOrder();
      const run = call(async ({ complete }) => complete(paid).then(end), { settle });
      await run(order).catch(() => undefined);
      expect(await call(async () => 'executed again')(order)).toEqual(paid);
    }
    expect(settle).not.toHaveBeenCalled();
  });

  it('runs steps after it once, and keeps nothing of them', async () => {
    const mail = vi.fn(async () => 'sent');
    const options = { store: throughProxy() };
    const run = call(async ({ complete, step }) => {
      await complete(paid);
      await step('mail', mail);
      return paid;
    }, options);
    await run(newOrder());
    expect(mail).toHaveBeenCalledTimes(1);
    expect(proxy.seen).toHaveLength(2);
  });

  it('that is not waited for is not undone by a throw, however long it takes', async () => {
    let faults = 2;
    proxy.decide = (request) => (isCompletion(request) && faults-- > 0 ? 'throttle' : 'pass');
    const order = newOrder();
    const body: Body = async ({ complete }) => {
      void complete(paid);
      throw own;
    };
    const run = call(body, { store: throughProxy() });
    expect(await thrownBy(run(order))).toBe(own);
    expect(await run(order)).toEqual(paid);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('is refused once the execution has ended', async () => {
    let late: () => Promise<void> = async () => undefined;
    const order = newOrder();
    const run = call(async ({ complete }) => {
      late = () => complete(paid);
      return 'returned';
    });
    await run(order);
    expect(await thrownBy(late())).toMatchObject({ code: 'LEASE_LOST' });
    expect(await run(order)).toBe('returned');
  });
});

describe('complete under faults', () => {
  it('is LEASE_LOST when another execution has taken over, whose record it leaves alone', async () => {
    const order = newOrder();
    const { clock } = guards;
    const slow = guards.guarded({
      handler: handling(async ({ complete }) => {
        const { now } = clock;
        clock.advance(31_500);
        await guards.guarded({ handler: async () => 'second' })(order);
        // This host's clock is behind: only the record can tell.
        const behind = now() - 10_000;
        vi.spyOn(clock, 'now').mockImplementation(() => behind);
        await complete('first').finally(() => vi.restoreAllMocks());
      }),
      options: { leaseMillis: 30_000 },
    });
    const context = lambdaContext(clock, { remainingMillis: 900_000 });
    expect(await thrownBy(slow(order, context))).toMatchObject({ code: 'LEASE_LOST' });
    expect(await guards.guarded({ handler: async () => 'third' })(order)).toBe('second');
  });

  it.each(['lose answer', 'throttle'] as const)('gets over them: %s', async (fault) => {
    let faults = 2;
    proxy.decide = (request) => (isCompletion(request) && faults-- > 0 ? fault : 'pass');
    const body: Body = async ({ complete }) => complete(paid).then(() => paid);
    const call = guards.guarded({ handler: handling(body), options: { store: throughProxy() } });
    const order = newOrder();
    expect(await call(order)).toEqual(paid);
    expect(await call(order)).toEqual(paid);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  /** `complete` fails for as long as there is time; then the table answers again. */
  async function failing(fault: 'lose answer' | 'throttle') {
    let isDown = true;
    proxy.decide = (request) => (isDown && isCompletion(request) ? fault : 'pass');
    const order = newOrder();
    const body = vi.fn<Body>(async ({ complete }) => {
      guards.clock.advance(27_500);
      const end = guards.clock.now() + 2000;
      const ticking = setInterval(() => guards.clock.advance(Math.min(500, end - guards.clock.now())), 20);
      await complete(paid).finally(() => clearInterval(ticking));
    });
    const call = guards.guarded({
      handler: handling(async (handle) =>
        body(handle).finally(() => {
          isDown = false;
        }),
      ),
      options: { store: throughProxy() },
    });
    const error = await thrownBy(call(order, lambdaContext(guards.clock, { remainingMillis: 30_000 })));
    return { error, order, body };
  }

  it('is STORE_UNAVAILABLE when it could not be stored, and the end of the handler settles', async () => {
    const { error, order } = await failing('throttle');
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('brought to its end') });
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
    expect(await guards.guarded({ handler: async () => 'executed again' })(order)).toBe('executed again');
  });

  it('stays stored when it was applied although no answer came', async () => {
    const { error, order } = await failing('lose answer');
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(guards.eventTypes()).toEqual(['claimed', 'completed']);
    expect(await guards.guarded({ handler: async () => 'executed again' })(order)).toEqual(paid);
  });
});

describe('an amendment that arrives late', () => {
  /** A store whose n-th completion gets no answer, and is on its way until it is told to arrive. */
  function delaying(n: number) {
    const { store } = guards;
    let completions = 0;
    let arrive: () => Promise<unknown> = async () => 'never sent';
    const replace: typeof store.replace = async (record, expected) => {
      if (record.status === 'COMPLETED' && ++completions === n) {
        arrive = () => store.replace(record, expected);
        throw new Error('no answer');
      }
      return store.replace(record, expected);
    };
    return { store: { ...store, replace }, arrive: () => arrive() };
  }

  it.each([
    ['of complete', 1],
    ['of another complete', 2],
    ['of what the handler returned', 3],
  ])('takes the place of no later one: %s', async (_, n) => {
    const { store, arrive } = delaying(n);
    const decorates = {
      after: async (request: { response: unknown }) => {
        request.response = 'decorated';
      },
    };
    const body: Body = async ({ complete }) => {
      await complete('one');
      await complete('two');
      return 'three';
    };
    const options = { store };
    const call = guards.guarded({ handler: handling(body), behind: [decorates] as never, options });
    const order = newOrder();
    expect(await call(order)).toBe('decorated');
    await arrive();
    expect(await call(order)).toBe('decorated');
  });
});

describe('complete in an HTTP API', () => {
  const api = useApi();

  it('stores what a replay gives: without the headers of the first message, and with no further write', async () => {
    const replace = vi.fn();
    const store = dynamoDBStore(api.table);
    const counting = {
      ...store,
      replace(...args: Parameters<typeof store.replace>) {
        replace();
        return store.replace(...args);
      },
    };
    const response = {
      statusCode: 201,
      headers: { 'x-request-id': '1', location: '/1' },
      cookies: ['a=1'],
      body: 'paid',
    };
    const handler = vi.fn(async (_: unknown, context: object) => {
      await (context as { idempotency: IdempotencyHandle }).idempotency.complete(response);
      return response;
    });
    const send = api.api({ handler, options: { store: counting } });
    const request = { headers: [['idempotency-key', 'one']], body: '{}' } as const;
    const first = await send(request);
    expect(first.headers).toEqual({ 'x-request-id': '1', location: '/1', 'set-cookie': 'a=1' });
    const replay = { statusCode: 201, headers: { location: '/1', 'idempotent-replayed': 'true' }, body: 'paid' };
    expect(await send(request)).toEqual(replay);
    expect(replace).toHaveBeenCalledTimes(1);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});
