import middy from '@middy/core';
import httpErrorHandler from '@middy/http-error-handler';
import type { IdempotencyHandle } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { httpIdempotency } from 'middy-idempotency/http';
import { describe, expect, it, vi } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import {
  crashing,
  deferred,
  lambdaContext,
  MIDDY_VERSIONS,
  newOrder,
  type Order,
  TestClock,
  thrownBy,
  useGuards,
} from '../support/harness.ts';
import { localClient } from '../support/table.ts';

const guards = useGuards();
const proxy = useFaultProxy();

/** A store that takes so long to answer a claim. */
function answeringAfter(millis: number, clock: TestClock) {
  const store = dynamoDBStore(guards.table);
  return {
    ...store,
    insert: async (record: Parameters<typeof store.insert>[0]) => {
      const answer = await store.insert(record);
      clock.advance(millis);
      return answer;
    },
  };
}

describe.each(MIDDY_VERSIONS)('I1 one owner, with %s', (_, middy) => {
  it('runs the handler once for 100 concurrent identical calls', async () => {
    const handler = vi.fn(async () => ({ statusCode: 201 }));
    const call = guards.guarded({ middy, handler });
    const order = newOrder();
    const answers = await Promise.allSettled(Array.from({ length: 100 }, () => call(order)));
    expect(handler).toHaveBeenCalledTimes(1);
    for (const answer of answers) {
      if (answer.status === 'fulfilled') expect(answer.value).toEqual({ statusCode: 201 });
      else expect(answer.reason).toMatchObject({ code: 'IN_FLIGHT', statusCode: 409 });
    }
  });

  it('asks a duplicate to wait as long as the execution has been running, and not beyond its lease', async () => {
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ middy, handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    const duplicate = () => thrownBy(guards.guarded({ middy, handler: async () => 'second' })(order));
    expect(await duplicate()).toMatchObject({ code: 'IN_FLIGHT', retryAfterMillis: 1000 });
    guards.clock.advance(10_000);
    expect(await duplicate()).toMatchObject({ code: 'IN_FLIGHT', retryAfterMillis: 10_000 });
    // 30 s of lease, 20 of them gone, and one second of tolerance for the clocks.
    guards.clock.advance(10_000);
    expect(await duplicate()).toMatchObject({ code: 'IN_FLIGHT', retryAfterMillis: 11_000 });
  });
});

describe('I1 one owner', () => {
  it('runs a guarded function once for 100 concurrent identical calls', async () => {
    const charge = vi.fn(async (_order: object) => 'charged');
    const chargeOnce = guards.idempotent(charge);
    const order = newOrder();
    const answers = await Promise.allSettled(Array.from({ length: 100 }, () => chargeOnce(order)));
    expect(charge).toHaveBeenCalledTimes(1);
    expect(answers.some((answer) => answer.status === 'fulfilled')).toBe(true);
  });

  it('lets nobody in until the lease is over on every clock within the tolerance, then lets one in', async () => {
    const started = deferred();
    const order = newOrder();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    const handler = vi.fn(async () => 'second');
    const call = guards.guarded({ handler });

    guards.clock.advance(30_999);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
    expect(handler).not.toHaveBeenCalled();

    guards.clock.advance(1);
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => call(order)));
    expect(handler).toHaveBeenCalledTimes(1);
    expect(answers.some((answer) => answer.status === 'fulfilled' && answer.value === 'second')).toBe(true);
  });

  it('starts no execution with a claim that is answered after its own lease', async () => {
    const clock = new TestClock();
    const slow = answeringAfter(30_000, clock);
    const handler = vi.fn(async () => 'late');
    const call = guards.guarded({ handler, options: { store: slow }, clock });
    expect(await thrownBy(call(newOrder(), lambdaContext(clock)))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(handler).not.toHaveBeenCalled();
  });

  it('starts no guarded function then, either', async () => {
    const clock = new TestClock();
    const slow = answeringAfter(60_000, clock);
    const charge = vi.fn(async (_order: object) => 'late');
    const call = guards.idempotent(charge, { store: slow }, clock);
    expect(await thrownBy(call(newOrder()))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(charge).not.toHaveBeenCalled();
  });

  it('gives a store that hangs up while there is still time to say so, and never runs the handler', async () => {
    proxy.decide = () => 'hang';
    const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
    const handler = vi.fn(async () => 'late');
    const call = guards.guarded({ handler, options: { store }, clock: systemRuntime });
    const context = lambdaContext(systemRuntime, { remainingMillis: 400 });
    expect(await thrownBy(call(newOrder(), context))).toMatchObject({ code: 'STORE_UNAVAILABLE', statusCode: 503 });
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0);
    expect(handler).not.toHaveBeenCalled();
  });

  it('takes a claim back that was answered when nobody waited any more, so that a retry can run', async () => {
    proxy.decide = ({ operation }) => (operation === 'PutItem' ? { delayMillis: 450 } : 'pass');
    const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
    const removed = deferred();
    const watched: typeof store = {
      ...store,
      remove: async (...args) => {
        const answer = await store.remove(...args);
        removed.resolve();
        return answer;
      },
    };
    const handler = vi.fn(async () => 'executed');
    const order = newOrder();
    const call = guards.guarded({ handler, options: { store: watched }, clock: systemRuntime });
    const early = call(order, lambdaContext(systemRuntime, { remainingMillis: 300 }));
    expect(await thrownBy(early)).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await removed.promise;
    expect(await guards.guarded({ handler, clock: systemRuntime })(order)).toBe('executed');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([0, -5, Number.NaN])('gives a lease of a minute when the remaining time is %s', async (remainingMillis) => {
    const clock = new TestClock();
    const call = guards.guarded({
      clock,
      handler: async (_event, context) => context.idempotency.leaseUntil - clock.now(),
      plugin: { timeoutEarlyInMillis: 0 },
    });
    const context = { ...lambdaContext(clock), getRemainingTimeInMillis: () => remainingMillis };
    const order = newOrder();
    expect(await call(order, context)).toBe(60_000);
    expect(await call(order, context)).toBe(60_000);
  });

  it("takes the lease from each invocation's own remaining time, not from an earlier one", async () => {
    const { clock } = guards;
    const call = guards.guarded({ handler: async (_, { idempotency }) => idempotency.leaseUntil - clock.now() });
    expect(await call(newOrder(), lambdaContext(clock, { remainingMillis: 9000 }))).toBe(9000);
    expect(await call(newOrder(), lambdaContext(clock, { remainingMillis: 4000 }))).toBe(4000);
  });

  it('keeps its longest lease when a copy of an earlier extension arrives late', async () => {
    const { clock, store } = guards;
    const sent: Parameters<typeof store.replace>[] = [];
    const recording: typeof store = {
      ...store,
      replace(...args) {
        sent.push(args);
        return store.replace(...args);
      },
    };
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        await idempotency.extend(60_000);
        await idempotency.extend(120_000);
        const [first] = sent;
        if (first !== undefined) await store.replace(...first);
        return store.read(idempotency.id);
      },
      options: { store: recording },
    });
    expect(await call(newOrder())).toMatchObject({ leaseUntil: clock.now() + 120_000 });
  });

  it('extends, and extends again, where the answer to an extension was lost', async () => {
    const { clock, store } = guards;
    let isFirst = true;
    const losing: typeof store = {
      ...store,
      async replace(...args) {
        const answer = await store.replace(...args);
        if (!isFirst) return answer;
        isFirst = false;
        throw new Error('the answer was lost');
      },
    };
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        await idempotency.extend(60_000);
        expect(idempotency.leaseUntil).toBe(clock.now() + 60_000);
        await idempotency.extend(120_000);
        expect(idempotency.leaseUntil).toBe(clock.now() + 120_000);
        return store.read(idempotency.id);
      },
      options: { store: losing },
    });
    expect(await call(newOrder())).toMatchObject({ leaseUntil: clock.now() + 120_000 });
  });

  it('recognises an extension that the SDK has sent twice', async () => {
    const { clock, store } = guards;
    const twice: typeof store = {
      ...store,
      async replace(...args) {
        if (args[0].status === 'IN_PROGRESS') await store.replace(...args);
        return store.replace(...args);
      },
    };
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        await idempotency.extend(60_000);
        return idempotency.leaseUntil;
      },
      options: { store: twice },
    });
    expect(await call(newOrder())).toBe(clock.now() + 60_000);
  });

  it('keeps an extended lease from being taken over by one who read it before', async () => {
    const { clock, store } = guards;
    const extended = deferred();
    const gate = deferred();
    const started = deferred();
    const order = newOrder();
    const first = guards.guarded({
      handler: async (_, { idempotency }) => {
        started.resolve();
        await extended.promise;
        await idempotency.extend(60_000);
        await gate.promise;
        return 'first';
      },
      options: { leaseMillis: 30_000 },
    })(order, lambdaContext(clock, { remainingMillis: 900_000 }));
    await started.promise;
    clock.advance(31_000);

    // The second reads a lease that is over; before it replaces the record, the first extends.
    const handler = vi.fn(async () => 'second');
    const racing: typeof store = {
      ...store,
      replace: async (record, expected) => {
        extended.resolve();
        await vi.waitFor(async () =>
          expect(await store.read(record.id)).toMatchObject({ leaseUntil: clock.now() + 60_000 }),
        );
        return store.replace(record, expected);
      },
    };
    expect(await thrownBy(guards.guarded({ handler, options: { store: racing } })(order))).toMatchObject({
      code: 'IN_FLIGHT',
    });
    expect(handler).not.toHaveBeenCalled();
    gate.resolve();
    expect(await first).toBe('first');
  });
});

describe.each(MIDDY_VERSIONS)('I1 the hooks behind a handler belong to its execution, with %s', (_, middy) => {
  it.each([
    ['has thrown', async () => Promise.reject(new Error('db')), undefined],
    ['has answered 503, and an after hook throws', async () => ({ statusCode: 503 }), new Error('after')],
  ])(
    'no other one begins beside them when the handler %s and an error handler changes the error',
    async (_n, run, after) => {
      const rollback = { began: deferred(), gate: deferred() };
      const throws = { after: async () => (after === undefined ? undefined : Promise.reject(after)) };
      const rollsBack = {
        onError: async () => {
          rollback.began.resolve();
          await rollback.gate.promise;
        },
      };
      const handler = vi.fn(run);
      const settle = ({ kind, value }: { kind: string; value?: unknown }) =>
        kind === 'threw' || (value as { statusCode?: number }).statusCode === 503 ? 'release' : 'store';
      const behind = [rollsBack, httpErrorHandler({ logger: () => undefined } as never), throws] as never;
      const order = newOrder();
      const first = guards.guarded({ middy, handler, behind, options: { settle: settle as never } })(order);
      await rollback.began.promise;
      const second = guards.guarded({ middy, handler: async () => 'second' });
      expect(await thrownBy(second(order))).toMatchObject({ code: 'IN_FLIGHT' });
      rollback.gate.resolve();
      expect(await first).toMatchObject({ statusCode: 500 });
      expect(await second(order)).toBe('second');
      expect(handler).toHaveBeenCalledTimes(1);
    },
  );

  it.each([
    ['another error', (): never => fail(new Error('another')), 'another'],
    ['the same error', ({ error }: { error: unknown }): never => fail(error), 'db'],
  ])('and when one of them throws %s, so that ours is not called, a retry executes', async (_n, onError, message) => {
    guards.events.length = 0;
    const call = guards.guarded({ middy, handler: () => fail(new Error('db')), behind: [{ onError }] as never });
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ message });
    await vi.waitFor(() => expect(guards.eventTypes()).toEqual(['claimed', 'released']));
    expect(await guards.guarded({ middy, handler: async () => 'second' })(order)).toBe('second');
  });
});

function fail(error: unknown): never {
  throw error;
}

describe("I1 in Middy's durable mode, where a handler is called again after every wait", () => {
  const durable = () => {
    const { getRemainingTimeInMillis, ...rest } = lambdaContext(guards.clock, { remainingMillis: 9000 });
    return { ...rest, lambdaContext: { getRemainingTimeInMillis }, executionContext: {} };
  };

  it.each([
    ['idempotency', () => guards.middleware()],
    ['httpIdempotency', () => httpIdempotency({ store: guards.store, operation: 'pay' })],
  ])('%s is refused, and says what to guard instead: a retry would be another execution', async (_, middleware) => {
    const handler = vi.fn();
    const call = middy<object>();
    call.use(middleware() as never);
    call.handler(handler);
    const error = await thrownBy(call(newOrder() as never, durable() as never));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain('Guard each effect in a step');
    expect(handler).not.toHaveBeenCalled();
    expect(guards.events).toEqual([]);
  });

  it('a guarded function has the time of the invocation, one level down', async () => {
    const leaseMillis = guards.idempotent(
      async (_order: Order, _context: object, { leaseUntil }: IdempotencyHandle) => leaseUntil - guards.clock.now(),
      { passHandle: true },
    ) as unknown as (order: Order, context: object) => Promise<number>;
    expect(await leaseMillis(newOrder(), durable())).toBe(9000);
  });
});
