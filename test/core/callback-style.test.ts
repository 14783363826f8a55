import middy7 from '@middy/core';
import type { Callback, Context } from 'aws-lambda';
import { type IdempotencyHandle, idempotency, idempotent } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { deferred, lambdaContext, MIDDY_VERSIONS, newOrder, type Order, thrownBy } from '../support/harness.ts';

type Loose = (...args: unknown[]) => Promise<unknown>;

const guard = (fn: (...args: never[]) => unknown, options: object = {}) =>
  idempotent(
    fn as never,
    {
      store: memoryStore(),
      operation: 'pay',
      key: 'id',
      ...options,
    } as never,
  ) as unknown as Loose;

const refused = { name: 'TypeError', message: expect.stringContaining('must return a promise') };

describe('a handler with a callback, guarded as a function', () => {
  it('is refused before it runs, and never stored as done', async () => {
    const charge = vi.fn();
    const handler = guard((order: Order, _context: Context, callback: Callback) => {
      charge();
      setImmediate(() => callback(null, `charged ${order.id}`));
    });
    const order = newOrder();
    const callback = vi.fn();
    // As the runtime of Node.js 22 calls it, twice.
    expect(await thrownBy(handler(order, lambdaContext(), callback))).toMatchObject(refused);
    expect(await thrownBy(handler(order, lambdaContext(), callback))).toMatchObject(refused);
    expect(charge).not.toHaveBeenCalled();
    expect(callback).not.toHaveBeenCalled();
  });

  it('is refused also when it is async: the runtime would answer with what the callback was given', async () => {
    const charge = vi.fn();
    const handler = guard(async (_order: Order, _context: Context, callback: Callback) => {
      charge();
      callback(null, 'charged');
    });
    expect(await thrownBy(handler(newOrder(), lambdaContext(), vi.fn()))).toMatchObject(refused);
    expect(charge).not.toHaveBeenCalled();
  });

  it('is refused also with a handle behind the callback', async () => {
    const charge = vi.fn();
    const fn = (_order: Order, _context: Context, _callback: Callback, _handle: IdempotencyHandle) => charge();
    const handler = guard(fn, { passHandle: true });
    expect(await thrownBy(handler(newOrder(), lambdaContext(), vi.fn()))).toMatchObject(refused);
    expect(charge).not.toHaveBeenCalled();
  });

  it('shows its parameters to a runtime that refuses callbacks by their number', () => {
    expect(guard((_order: Order, _context: Context, _callback: Callback) => undefined)).toHaveLength(3);
    expect(guard(async (_order: Order, _context: Context) => undefined)).toHaveLength(2);
    expect(guard(async (_order: Order) => undefined)).toHaveLength(1);
    const withHandle = async (_order: Order, _context: Context, _handle: IdempotencyHandle) => undefined;
    expect(guard(withHandle, { passHandle: true })).toHaveLength(2);
    const rest = async (..._args: unknown[]) => undefined;
    expect(guard(rest, { passHandle: true })).toHaveLength(0);
  });
});

describe('no callback is', () => {
  it('what the runtime gives a handler that does not declare it: it is not handed on', async () => {
    const seen: unknown[] = [];
    const handler = guard(async (order: Order, _context: Context) => `charged ${order.id}`);
    const all = guard((...args: unknown[]) => {
      seen.push(...args.slice(2));
      return 'done';
    });
    const order = newOrder();
    expect(await handler(order, lambdaContext(), vi.fn())).toBe(`charged ${order.id}`);
    expect(await all(order, lambdaContext(), vi.fn())).toBe('done');
    expect(seen).toEqual([]);
  });

  it('a function among the arguments of what is no Lambda handler', async () => {
    const onProgress = vi.fn();
    const pay = guard((order: Order, progress: (percent: number) => void) => {
      progress(100);
      return `paid ${order.id}`;
    });
    const order = newOrder();
    expect(await pay(order, onProgress)).toBe(`paid ${order.id}`);
    expect(onProgress).toHaveBeenCalledWith(100);
  });

  it('a handle behind the context', async () => {
    const pay = guard(async (_: Order, __: Context, { attempt }: IdempotencyHandle) => attempt, { passHandle: true });
    expect(await pay(newOrder(), lambdaContext(), vi.fn())).toBe(1);
  });

  it('an option behind the context', async () => {
    const pay = guard((_order: Order, _context: Context, currency: string) => currency);
    expect(await pay(newOrder(), lambdaContext(), 'EUR')).toBe('EUR');
  });
});

describe.each(MIDDY_VERSIONS)('a handler with a callback, in %s, which has no callback', (_, middy) => {
  it('fails when it calls it, and is not stored as done', async () => {
    const store = memoryStore();
    const options = { store, operation: 'pay', key: 'id' };
    const started = deferred();
    const failing = middy()
      .use(idempotency(options))
      .handler(((_event: Order, _context: Context, callback: Callback) => {
        started.resolve();
        callback(null, 'charged');
      }) as never);
    const order = newOrder();
    expect(await thrownBy(failing(order, lambdaContext() as never) as Promise<unknown>)).toBeInstanceOf(TypeError);
    await started.promise;
    const mended = middy7()
      .use(idempotency(options))
      .handler(async () => 'charged');
    expect(await mended(order, lambdaContext() as never)).toBe('charged');
  });
});
