import { describe, expect, it, vi } from 'vitest';
import { MIDDY_VERSIONS, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();
type Mutable = { -readonly [K in keyof Order]: Order[K] } & Record<string, unknown>;

describe.each(MIDDY_VERSIONS)('I6 the key is computed once, with %s', (_, middy) => {
  it('the handler may change the event: the record is completed, and a retry replayed', async () => {
    const handler = vi.fn(async (event: Order) => {
      (event as Mutable)['id'] = 'changed';
      (event as Mutable)['amount'] = -1;
      return 'done';
    });
    const order = newOrder();
    const call = guards.guarded({ middy, handler: handler as never, options: { fingerprint: 'amount' } });
    expect(await call({ ...order })).toBe('done');
    expect(await call({ ...order })).toBe('done');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('the handler may change the event and throw: the record is released', async () => {
    const handler = vi.fn(async (event: Order) => {
      (event as Mutable)['id'] = 'changed';
      throw new Error('failed');
    });
    const order = newOrder();
    const call = guards.guarded({ middy, handler: handler as never });
    await thrownBy(call({ ...order }));
    await thrownBy(call({ ...order }));
    expect(handler).toHaveBeenCalledTimes(2);
  });

  const parsesBody = {
    before: async (request: { event: { body: unknown } }) => {
      request.event.body = JSON.parse(request.event.body as string);
    },
    after: async (request: { event: object }) => {
      request.event = { replaced: true };
    },
  };
  const post = (body: unknown) => ({ body: JSON.stringify(body) });

  it('a body parser behind it may change the event', async () => {
    const handler = vi.fn(async () => 'done');
    const options = { key: 'powertools_json(body).id', fingerprint: 'powertools_json(body)' };
    const call = guards.guarded({ middy, handler, options, behind: [parsesBody] as never });
    const order = newOrder();
    expect(await call(post(order))).toBe('done');
    expect(await call(post(order))).toBe('done');
    expect(handler).toHaveBeenCalledTimes(1);
    expect(await thrownBy(call(post({ ...order, amount: 2 })))).toMatchObject({ code: 'KEY_REUSED' });
  });

  it('a body parser in front of it has parsed: an expression over the parsed body guards', async () => {
    const handler = vi.fn(async () => 'done');
    const call = guards.guarded({ middy, handler, options: { key: 'body.id' }, inFront: [parsesBody] as never });
    const order = newOrder();
    await call(post(order));
    await call(post(order));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('a body parser in front, and an expression over the text: refused, never run unguarded', async () => {
    const handler = vi.fn(async () => 'done');
    const options = { key: 'powertools_json(body).id', onMissingKey: 'run' } as const;
    const call = guards.guarded({ middy, handler, options, inFront: [parsesBody] as never });
    expect(await thrownBy(call(post(newOrder())))).toMatchObject({ code: 'KEY_INVALID', statusCode: 400 });
    expect(handler).not.toHaveBeenCalled();
  });
});

describe('I6 the key is computed once', () => {
  it('a guarded function may change its argument', async () => {
    const charge = vi.fn(async (order: Mutable) => {
      order['id'] = 'changed';
      return 'charged';
    });
    const chargeOnce = guards.idempotent(charge);
    const order = newOrder();
    await chargeOnce({ ...order } as never);
    await chargeOnce({ ...order } as never);
    expect(charge).toHaveBeenCalledTimes(1);
  });

  it('evaluates each option once for a request', async () => {
    const key = vi.fn((order: Order) => order.id);
    const fingerprint = vi.fn((order: Order) => order.amount);
    await guards.guarded({ handler: async () => 'done', options: { key, fingerprint } })(newOrder());
    expect(key).toHaveBeenCalledTimes(1);
    expect(fingerprint).toHaveBeenCalledTimes(1);
  });
});
