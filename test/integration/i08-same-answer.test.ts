import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { deferred, MIDDY_VERSIONS, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

describe.each(MIDDY_VERSIONS)('I8 what the first caller saw is what a retry sees, with %s', (_, middy) => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['false', false],
    ['0', 0],
    ['the empty string', ''],
    ['a list', [1, [2, { three: 3 }]]],
    ['text beyond ASCII', { body: 'Zażółć 🧾 \u0000 \ud800' }],
    ['an undefined member', { statusCode: 200, headers: undefined }],
    ['a Date', { at: new Date(0) }],
    ['property order and integer keys', { z: 1, 10: 'b', a: 2, 9: 'a' }],
    ['a member named __proto__', JSON.parse('{"__proto__":{"polluted":true},"body":"x"}')],
  ])('byte for byte: %s', async (_name, response) => {
    const handler = vi.fn(async () => response);
    const call = guards.guarded({ middy, handler });
    const order = newOrder();
    const first = await call(order);
    const replayed = await call(order);
    expect(JSON.stringify(replayed)).toBe(JSON.stringify(first));
    expect(typeof replayed).toBe(typeof first);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('also when a hook behind it changes the response in place', async () => {
    const decorates = {
      after: async (request: { response: { headers: Record<string, string> } }) => {
        request.response.headers['x-count'] = '1';
      },
    };
    const handler = vi.fn(async () => ({ statusCode: 200, headers: {} }));
    const call = guards.guarded({ middy, handler, behind: [decorates] as never });
    const order = newOrder();
    const first = JSON.stringify(await call(order));
    expect(JSON.stringify(await call(order))).toBe(first);
  });

  it('as a fresh object every time: nobody can change a later replay', async () => {
    const call = guards.guarded({ middy, handler: async () => ({ body: { amount: 1 } }) });
    const order = newOrder();
    const first = (await call(order)) as { body: { amount: number } };
    first.body.amount = 99;
    const second = (await call(order)) as { body: { amount: number } };
    expect(second).toEqual({ body: { amount: 1 } });
    second.body.amount = 98;
    expect(await call(order)).toEqual({ body: { amount: 1 } });
  });

  it('runs no handler and no hook behind it for a replay', async () => {
    const hook = { before: vi.fn(async () => undefined), after: vi.fn(async () => undefined) };
    const call = guards.guarded({ middy, handler: async () => undefined, behind: [hook] as never });
    const order = newOrder();
    await call(order);
    await call(order);
    expect(hook.before).toHaveBeenCalledTimes(1);
    expect(hook.after).toHaveBeenCalledTimes(1);
  });

  it('rethrows a stored error with its name, message and statusCode', async () => {
    class CardDeclined extends Error {
      override name = 'CardDeclined';
      statusCode = 402;
      secret = 'stays where it was thrown';
    }
    const handler = vi.fn(async () => {
      throw new CardDeclined('no funds');
    });
    const call = guards.guarded({ middy, handler, options: { settle: () => 'store' } });
    const order = newOrder();
    await thrownBy(call(order));
    const replayed = await thrownBy(call(order));
    expect(replayed).toBeInstanceOf(Error);
    expect(replayed).toMatchObject({ name: 'CardDeclined', message: 'no funds', statusCode: 402 });
    expect(replayed).not.toHaveProperty('secret');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('gives the response that an error handler made of a stored error', async () => {
    const made = { statusCode: 402, body: 'no funds' };
    const handlesErrors = {
      onError: async (request: { response: unknown }) => {
        request.response = made;
      },
    };
    const handler = vi.fn(async () => {
      throw new Error('no funds');
    });
    const options = { settle: () => 'store' as const };
    const order = newOrder();
    const call = guards.guarded({ middy, handler, options, behind: [handlesErrors] as never });
    expect(await call(order)).toEqual(made);
    expect(await guards.guarded({ middy, handler, options })(order)).toEqual(made);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe('I8 what the first caller saw is what a retry sees', () => {
  it('for any JSON value', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (response) => {
        const call = guards.guarded({ handler: async () => response });
        const order = newOrder();
        const first = JSON.stringify(await call(order));
        expect(JSON.stringify(await call(order))).toBe(first);
      }),
      { numRuns: 100 },
    );
  });

  it('for a guarded function: the first caller gets the same round through JSON as a retry', async () => {
    const charge = vi.fn(async (_order: Order) => ({ at: new Date(0), note: undefined, id: 'ch_1' }));
    const chargeOnce = guards.idempotent(charge);
    const order = newOrder();
    const first = await chargeOnce(order);
    expect(first).toStrictEqual({ at: '1970-01-01T00:00:00.000Z', id: 'ch_1' });
    expect(await chargeOnce(order)).toStrictEqual(first);
    expect(charge).toHaveBeenCalledTimes(1);
  });

  it('for a guarded function that returns nothing', async () => {
    const notify = vi.fn(async (_order: Order) => undefined);
    const notifyOnce = guards.idempotent(notify);
    const order = newOrder();
    expect(await notifyOnce(order)).toBeUndefined();
    expect(await notifyOnce(order)).toBeUndefined();
    expect(notify).toHaveBeenCalledTimes(1);
  });

  it('for a guarded function whose result JSON refuses: the first caller has it, a retry is told', async () => {
    const count = vi.fn(async (_order: Order) => 10n);
    const countOnce = guards.idempotent(count);
    const order = newOrder();
    expect(await countOnce(order)).toBe(10n);
    expect(await thrownBy(countOnce(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(count).toHaveBeenCalledTimes(1);
  });

  it('for a guarded function whose result is changed while its outcome is being stored', async () => {
    const account = { balance: 0 };
    const deposit = vi.fn(async (_order: Order) => {
      account.balance += 10;
      // The write of the outcome takes a request to the table.
      setImmediate(() => (account.balance += 1000));
      return account;
    });
    const depositOnce = guards.idempotent(deposit);
    const order = newOrder();
    const first = await depositOnce(order);
    expect(first).toStrictEqual({ balance: 10 });
    account.balance = -1;
    expect(first).toStrictEqual({ balance: 10 });
    expect(await depositOnce(order)).toStrictEqual({ balance: 10 });
    expect(deposit).toHaveBeenCalledTimes(1);
  });

  it('for two calls at once that return one object', async () => {
    const account = { balance: 0 };
    const begun = deferred();
    const depositOnce = guards.idempotent(async (order: Order) => {
      if (order.amount === 2) {
        begun.resolve();
        // The other one is being stored now.
        await new Promise((resolve) => setImmediate(resolve));
      } else await begun.promise;
      account.balance += 10;
      return account;
    });
    const orders = [1, 2].map((amount) => ({ ...newOrder(), amount }));
    const first = await Promise.all(orders.map((order) => depositOnce(order)));
    expect(await Promise.all(orders.map((order) => depositOnce(order)))).toStrictEqual(first);
  });

  it('for a guarded function whose result JSON refuses only until it is stored', async () => {
    const result: { self?: unknown } = {};
    result.self = result;
    const once = guards.idempotent(async (_order: Order) => {
      setImmediate(() => delete result.self);
      return result;
    });
    const order = newOrder();
    expect(await once(order)).toBe(result);
    expect(await thrownBy(once(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
  });

  it('for a guarded function whose JSON is another one each time', async () => {
    let asked = 0;
    const once = guards.idempotent(async (_order: Order) => ({ toJSON: () => ++asked }));
    const order = newOrder();
    expect(await once(order)).toBe(1);
    expect(await once(order)).toBe(1);
    expect(asked).toBe(1);
  });
});

describe.each(MIDDY_VERSIONS)('I8 what the first caller got is what a retry gets, with %s', (_, middy) => {
  type Handler = (order: Order) => Promise<unknown>;
  const calling = (handler: Handler, behind: object[] = []) =>
    guards.guarded({ middy, handler: handler as never, behind: behind as never });
  const changes = (response: { balance: number }) => {
    setImmediate(() => {
      response.balance = -1;
    });
    return response;
  };

  it.each<[string, Handler, object[]]>([
    ['a handler has returned', async () => changes({ balance: 10 }), []],
    ['a hook has returned', async () => 'nothing', [{ after: async () => changes({ balance: 10 }) }]],
    [
      'an error handler has made',
      () => Promise.reject(new Error('no')),
      [
        {
          onError: async (request: { response: unknown }) => {
            request.response = changes({ balance: 10 });
          },
        },
      ],
    ],
  ])('although something else goes on changing what %s', async (_name, handler, behind) => {
    const call = guards.guarded({
      middy,
      handler: handler as never,
      behind: behind as never,
      options: { settle: () => 'store' },
    });
    const order = newOrder();
    const first = await call(order);
    await new Promise((resolve) => setImmediate(resolve));
    expect(first).toStrictEqual({ balance: 10 });
    expect(await call(order)).toStrictEqual({ balance: 10 });
  });

  it('although its JSON is another one each time', async () => {
    let asked = 0;
    const call = calling(async () => ({ toJSON: () => ++asked }));
    const order = newOrder();
    expect(await call(order)).toBe(1);
    expect(await call(order)).toBe(1);
  });

  it('but what cannot be replayed is the very response, and so is one that is not stored', async () => {
    const stream = new ReadableStream();
    expect(await calling(async () => stream)(newOrder())).toBe(stream);
    const response = { at: new Date() };
    const options = { settle: () => 'hold' as const };
    expect(await guards.guarded({ middy, handler: async () => response, options })(newOrder())).toBe(response);
  });
});
