import type { IdempotencyHandle } from 'middy-idempotency';
import { idempotency, idempotent } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemRuntime } from '../src/runtime.ts';
import { lambdaContext, newOrder, type Order, TestClock, thrownBy, useGuards } from './support/harness.ts';

const guards = useGuards(() => memoryStore());

describe('the handle is the last parameter of the function', () => {
  const attemptOf = async (_order: Order, { attempt }: IdempotencyHandle) => attempt;

  it('and never an argument that nobody asked for: such a call is refused before anything is claimed', async () => {
    const chargeOnce = guards.idempotent(attemptOf, { passHandle: true }) as unknown as (
      order: Order,
    ) => Promise<number>;
    const orders = [newOrder(), newOrder()];
    for (const call of orders.map(chargeOnce)) {
      expect(await thrownBy(call)).toEqual(
        new TypeError(
          'middy-idempotency: a guarded function was called with 3 arguments, and declares 1 in front of its handle. Give it ' +
            'no more: orders.map((order) => fn(order)). Parameters from the first default on are not counted: have none.',
        ),
      );
    }
    expect(guards.events).toEqual([]);
    expect(await Promise.all(orders.map((order) => chargeOnce(order)))).toEqual([1, 1]);
  });

  it('also where the argument too many is undefined, as a batch processor without a context gives it', async () => {
    const once = guards.idempotent(attemptOf, { passHandle: true }) as unknown as (
      ...args: unknown[]
    ) => Promise<number>;
    expect(await once(newOrder(), undefined)).toBe(1);
  });

  it('also where arguments in front of it are left out', async () => {
    const seen = vi.fn();
    const once = guards.idempotent(
      async (order: Order, amount: number | undefined, note: string | undefined, handle: IdempotencyHandle) => {
        seen(order.id, amount, note, handle.attempt);
      },
      { passHandle: true },
    ) as unknown as (order: Order, amount?: number) => Promise<void>;
    const order = newOrder();
    await once(order, 5);
    expect(seen).toHaveBeenLastCalledWith(order.id, 5, undefined, 1);
  });

  it.each<[string, (...args: never) => unknown]>([
    ['rest parameters', async (...args: [Order, number, IdempotencyHandle]) => args[2].attempt],
    ['a default', async (_order: Order, _amount = 1, handle?: IdempotencyHandle) => handle?.attempt],
  ])('or comes behind the arguments, where the parameters cannot be counted because of %s', async (_, fn) => {
    const once = guards.idempotent(fn, { passHandle: true }) as unknown as (...args: unknown[]) => Promise<unknown>;
    expect(await once(newOrder(), 5)).toBe(1);
  });

  it('and without passHandle, a function gets what it is called with', async () => {
    const seen = vi.fn();
    const once = guards.idempotent(async (_order: Order, ...rest: unknown[]) => seen(...rest));
    await (once as (...args: unknown[]) => Promise<unknown>)(newOrder(), 1, undefined);
    expect(seen).toHaveBeenLastCalledWith(1, undefined);
  });
});

describe("an argument that is no Lambda context says nothing about the invocation's time", () => {
  const strict = new Proxy(
    {},
    {
      get: (_, name) => {
        throw new ReferenceError(`no ${String(name)}`);
      },
    },
  );
  const cycle: { lambdaContext?: unknown } = {};
  cycle.lambdaContext = cycle;
  const { proxy: revoked, revoke } = Proxy.revocable({}, {});
  revoke();

  it.each<[string, unknown]>([
    ['a proxy that refuses what it does not have', strict],
    ['one that is revoked', revoked],
    ['a cycle', cycle],
    ['a getter that throws one level down', { lambdaContext: strict }],
    ['a context two levels down', { lambdaContext: { lambdaContext: lambdaContext(guards.clock) } }],
    ['a function of that name that throws', { getRemainingTimeInMillis: () => JSON.parse('{') }],
    ['a function of that name that answers something else', { getRemainingTimeInMillis: () => Promise.resolve(1) }],
    ['a member of that name', { getRemainingTimeInMillis: 1, lambdaContext: null }],
    ['nothing', null],
    ['a text', 'getRemainingTimeInMillis'],
  ])('%s', async (_, argument) => {
    const leaseMillis = (...args: unknown[]) =>
      (
        guards.idempotent(async (...all: unknown[]) => (all.at(-1) as IdempotencyHandle).leaseUntil, {
          passHandle: true,
          key: () => newOrder().id,
        }) as (...all: unknown[]) => Promise<number>
      )(...args).then((until) => until - guards.clock.now());
    expect(await leaseMillis(argument)).toBe(60_000);
    const context = lambdaContext(guards.clock, { remainingMillis: 7000 });
    expect(await leaseMillis(argument, context)).toBe(7000);
    expect(await leaseMillis(argument, { lambdaContext: context })).toBe(7000);
  });
});

describe('the default operation is one for the whole Lambda function', () => {
  afterEach(() => void delete process.env['AWS_LAMBDA_FUNCTION_NAME']);
  const charge = async (order: Order) => `charged ${order.id}`;
  const refund = async (order: Order) => `refunded ${order.id}`;
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  beforeEach(() => warn.mockClear());
  afterAll(() => warn.mockRestore());

  it('so that a second function of a store, which may get the outcomes of the first, is warned of', () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'orders';
    const options = { store: memoryStore(), key: 'id' };
    idempotent(charge, options);
    expect(warn).not.toHaveBeenCalled();
    idempotent(refund, { ...options, operation: undefined as never });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('Give each its own'), {
      type: 'IdempotencyWarning',
      code: 'MIDDY_IDEMPOTENCY_SHARED_OPERATION',
    });
    const [one, other] = [charge, refund].map((fn) => fn.bind(null));
    const bound = { ...options, store: memoryStore() };
    idempotent(one as typeof charge, bound);
    idempotent(other as typeof charge, bound);
    expect(warn).toHaveBeenCalledTimes(2);
  });

  it('and so is a function beside a handler in Middy', () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'orders';
    for (const middleware of [idempotency, httpIdempotency] as const) {
      const options = { store: memoryStore(), key: 'id' };
      const { key: _, ...http } = options;
      middleware((middleware === idempotency ? options : http) as never);
      middleware((middleware === idempotency ? options : http) as never);
      expect(warn).not.toHaveBeenCalled();
      idempotent(charge, options);
      expect(warn).toHaveBeenCalledTimes(1);
      warn.mockClear();
    }
  });

  it('but not one with an operation of its own, on another store, in Middy, or the same one again', async () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'orders';
    const options = { store: memoryStore(), key: 'id' };
    const refundOnce = idempotent(refund, { ...options, operation: 'refund' });
    const chargeOnce = idempotent(charge, options);
    idempotent(charge, options);
    idempotent(refund, { ...options, operation: 'orders' });
    idempotent(refund, { ...options, store: memoryStore() });
    const inMiddy = { ...options, store: memoryStore() };
    idempotency(inMiddy);
    idempotency(inMiddy);
    const order = newOrder();
    expect(await chargeOnce(order)).toBe(`charged ${order.id}`);
    expect(await refundOnce(order)).toBe(`refunded ${order.id}`);
    expect(warn).not.toHaveBeenCalled();
  });

  it('nor one that is made anew for every request', () => {
    process.env['AWS_LAMBDA_FUNCTION_NAME'] = 'orders';
    const options = { store: memoryStore(), key: 'id' };
    const handle = (user: string) => idempotent(async (order: Order) => `${user} ${order.id}`, options);
    ['a', 'b', 'c'].map(handle);
    expect(warn).not.toHaveBeenCalled();
  });
});

describe('a guarded function', () => {
  it('passes this and all arguments on, and the handle last when asked to', async () => {
    const seen: unknown[] = [];
    const fn = async function (this: unknown, ...args: unknown[]) {
      seen.push(this, ...args);
    };
    const owner = {
      call: guards.idempotent(fn as (order: Order, extra: number) => Promise<void>, { passHandle: true }),
    };
    const order = newOrder();
    await owner.call(order, 7);
    expect(seen).toEqual([owner, order, 7, expect.objectContaining({ attempt: 1 })]);
  });

  it('reads all arguments with a function, and the first with an expression', async () => {
    const fn = vi.fn(async (_order: Order, _line: number) => 'done');
    const call = guards.idempotent(fn, { key: (order: Order, line: number) => [order.id, line] });
    const order = newOrder();
    await call(order, 1);
    await call(order, 2);
    await call(order, 2);
    expect(fn).toHaveBeenCalledTimes(2);
  });

  it('leases for as long as the Lambda context among its arguments says', async () => {
    const clock = new TestClock();
    const fn = async (_event: Order, _context: object, handle?: { leaseUntil: number }) =>
      (handle?.leaseUntil ?? 0) - clock.now();
    const call = guards.idempotent(fn, { passHandle: true }, clock);
    expect(await call(newOrder(), { getRemainingTimeInMillis: () => 1234 })).toBe(1234);
    expect(await call(newOrder(), {})).toBe(60_000);
  });

  it('takes a function that is not async', async () => {
    const fn = vi.fn((order: Order) => order.amount);
    const call = guards.idempotent(fn);
    const order = newOrder();
    expect(await call(order)).toBe(10);
    expect(await call(order)).toBe(10);
    expect(fn).toHaveBeenCalledTimes(1);
  });

  it('gives a lease of weeks without giving up at once', async () => {
    const call = guards.idempotent(async (_order: Order) => 'done', { leaseMillis: 30 * 86_400_000 }, systemRuntime);
    expect(await call(newOrder())).toBe('done');
  });
});
