import { IdempotencyError, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { crashing, deferred, newOrder, type Order, TestClock, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards(() => memoryStore());

/** A store whose record is replaced by a stranger's whenever somebody is about to take it over. */
function contested(store: RecordStore, clock: TestClock): RecordStore {
  let strangers = 0;
  return {
    ...store,
    async replace(record, expected) {
      const stranger = { ...record, owner: `stranger ${strangers++}`, leaseUntil: clock.now() - 2000 };
      await store.replace(stranger, expected);
      return store.replace(record, expected);
    },
  };
}

describe('a claim', () => {
  it('gives up after a bounded number of lost takeovers, and says so', async () => {
    const { clock, store } = guards;
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    clock.advance(31_000);
    const handler = vi.fn(async () => 'executed');
    const call = guards.guarded({ handler, options: { store: contested(store, clock) } });
    const error = await thrownBy(call(order));
    expect(error).toMatchObject({ code: 'IN_FLIGHT', advice: 'The record changed hands 10 times.' });
    expect(handler).not.toHaveBeenCalled();
    expect(guards.events.at(-1)).toMatchObject({ type: 'inFlight', retryAfterMillis: 1000 });
  });

  it('claims anew when the record in the way has vanished', async () => {
    const { store } = guards;
    const order = newOrder();
    let conflicts = 1;
    const vanishing: RecordStore = {
      ...store,
      insert: async (record) => (conflicts-- > 0 ? { done: false, existing: undefined } : store.insert(record)),
    };
    const handler = vi.fn(async () => 'executed');
    expect(await guards.guarded({ handler, options: { store: vanishing } })(order)).toBe('executed');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('a bug in the store');
      },
    ],
    ['rejects', () => Promise.reject(new Error('a bug in the store'))],
  ])('is STORE_UNAVAILABLE when the store %s something else than our error', async (_, insert) => {
    const store = { ...guards.store, insert: insert as never };
    const handler = vi.fn(async () => 'executed');
    guards.events.length = 0;
    const error = await thrownBy(guards.guarded({ handler, options: { store } })(newOrder()));
    expect(error).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: true,
      cause: { message: 'a bug in the store' },
    });
    expect(handler).not.toHaveBeenCalled();
    expect(guards.eventTypes()).toEqual(['claimFailed']);
    expect(error).toMatchObject({ unanswered: true });
  });

  it('is known to be unanswered only where the store could not be asked', async () => {
    const failing = (failure: unknown) => {
      const insert = async () => Promise.reject(failure);
      return guards.guarded({ handler: async () => 'executed', options: { store: { ...guards.store, insert } } });
    };
    const refused = new IdempotencyError('STORE_UNAVAILABLE', 'no', { retryable: false });
    const unreadable = new IdempotencyError('RECORD_INVALID', 'no');
    for (const failure of [refused, unreadable]) {
      expect(await thrownBy(failing(failure)(newOrder()))).toBe(failure);
      expect(failure.unanswered).toBeUndefined();
    }
  });

  it('needs one write, its settlement another, a replay one: whatever adds a round trip was asked for', async () => {
    const verbs: string[] = [];
    const { store } = guards;
    const counting = new Proxy(store, {
      get: (target, verb) => {
        const value = Reflect.get(target, verb);
        return typeof value === 'function'
          ? (...args: unknown[]) => {
              verbs.push(String(verb));
              return value(...args);
            }
          : value;
      },
    });
    const call = guards.guarded({ handler: async () => 'done', options: { store: counting } });
    const order = newOrder();
    await call(order);
    expect(verbs.splice(0)).toEqual(['insert', 'replace']);
    await call(order);
    expect(verbs.splice(0)).toEqual(['insert']);
  });
});

describe('extend', () => {
  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5' as never])('refuses %s', async (millis) => {
    const call = guards.guarded({ handler: async (_, { idempotency }) => idempotency.extend(millis) });
    expect(await thrownBy(call(newOrder()))).toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining('millis'),
    });
  });

  it('never shortens the lease', async () => {
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        const before = idempotency.leaseUntil;
        await idempotency.extend(1);
        return idempotency.leaseUntil - before;
      },
    });
    expect(await call(newOrder())).toBe(0);
  });

  it('keeps the longest of several that overlap', async () => {
    const { clock, store } = guards;
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        await Promise.all([idempotency.extend(90_000), idempotency.extend(40_000), idempotency.extend(60_000)]);
        return { handle: idempotency.leaseUntil, record: await store.read(idempotency.id) };
      },
    });
    const leaseUntil = clock.now() + 90_000;
    expect(await call(newOrder())).toMatchObject({ handle: leaseUntil, record: { leaseUntil } });
  });

  it('does nothing once the execution has ended: a heartbeat may come late', async () => {
    let extend: () => Promise<void> = async () => undefined;
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        extend = () => idempotency.extend(90_000);
        return 'done';
      },
    });
    guards.events.length = 0;
    const order = newOrder();
    await call(order);
    await extend();
    expect(guards.eventTypes()).toEqual(['claimed', 'completed']);
    expect(await call(order)).toBe('done');
  });

  it('goes on working after one that the store failed', async () => {
    const { store } = guards;
    let failures = 1;
    const flaky: RecordStore = {
      ...store,
      replace: (record, expected) =>
        failures-- > 0 ? Promise.reject(new Error('no network')) : store.replace(record, expected),
    };
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        expect(await thrownBy(idempotency.extend(90_000))).toMatchObject({ message: 'no network' });
        await idempotency.extend(90_000);
        return 'extended';
      },
      options: { store: flaky },
    });
    expect(await call(newOrder())).toBe('extended');
  });
});

describe('settle', () => {
  it("with 'hold' leaves the record for the lease to run out", async () => {
    guards.events.length = 0;
    const order = newOrder();
    const call = guards.guarded({ handler: async () => 'done', options: { settle: () => 'hold' } });
    expect(await call(order)).toBe('done');
    expect(guards.events.at(-1)).toMatchObject({ type: 'held', reason: 'policy' });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
    guards.clock.advance(31_000);
    expect(await call(order)).toBe('done');
  });

  it("with 'release' lets a retry execute after a returned response", async () => {
    const handler = vi.fn(async () => ({ statusCode: 503 }));
    const order = newOrder();
    const call = guards.guarded({ handler, options: { settle: () => 'release' } });
    await call(order);
    await call(order);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('that is asynchronous is a mistake: it stores or holds, and its rejection harms nobody', async () => {
    guards.events.length = 0;
    const settle = (async () => {
      throw new Error('nobody waits for this');
    }) as never;
    const order = newOrder();
    const call = guards.guarded({ handler: async () => 'done', options: { settle } });
    expect(await call(order)).toBe('done');
    expect(guards.eventTypes()).toEqual(['claimed', 'settlePolicyFailed', 'completed']);
  });

  it('releases a thrown error by default', async () => {
    const handler = vi.fn(async (): Promise<string> => 'second').mockRejectedValueOnce(new Error('first'));
    const order = newOrder();
    const call = guards.guarded({ handler });
    await thrownBy(call(order));
    expect(await call(order)).toBe('second');
  });
});

describe('the writes that end an execution', () => {
  const failing = (failures: number, retryable: boolean) => {
    const { store } = guards;
    let left = failures;
    const replace = vi.fn(async (...args: Parameters<RecordStore['replace']>) => {
      if (left-- > 0) throw new IdempotencyError('STORE_UNAVAILABLE', 'no', { retryable });
      return store.replace(...args);
    });
    return { replace, options: { store: { ...store, replace } } };
  };

  it('are not tried until the end of the invocation when the store refuses them for good', async () => {
    const { replace, options } = failing(100, false);
    guards.events.length = 0;
    expect(await guards.guarded({ handler: async () => 'done', options })(newOrder())).toBe('done');
    expect(replace).toHaveBeenCalledTimes(3);
    expect(guards.eventTypes()).toEqual(['claimed', 'completionFailed']);
  });

  it('release at the second try, so that a retry need not wait', async () => {
    const { options } = failing(1, true);
    guards.events.length = 0;
    const fails = async () => {
      throw new Error('failed');
    };
    await thrownBy(guards.guarded({ handler: fails, options })(newOrder()));
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });
});

describe('the fencing number', () => {
  it('never comes twice, also after an attempt that failed and let go', async () => {
    const order = newOrder();
    const attempts: number[] = [];
    const started = deferred();
    const note = ({ idempotency }: { idempotency: { attempt: number } }) => {
      attempts.push(idempotency.attempt);
      started.resolve();
    };
    void guards.guarded({ handler: crashing(note) })(order);
    await started.promise;
    guards.clock.advance(31_000);
    const fails = async (_: unknown, context: { idempotency: { attempt: number } }) => {
      note(context);
      throw new Error('failed');
    };
    await thrownBy(guards.guarded({ handler: fails })(order));
    await thrownBy(guards.guarded({ handler: fails })(order));
    await guards.guarded({ handler: async (_, context) => note(context) })(order);
    expect(attempts).toEqual([1, 2, 3, 4]);
  });

  it('is kept by a takeover that is taken back because its answer was lost', async () => {
    const { store, clock } = guards;
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    clock.advance(31_000);
    let lost = false;
    const losing: RecordStore = {
      ...store,
      async replace(record, expected) {
        const answer = await store.replace(record, expected);
        if (lost) return answer;
        lost = true;
        throw new Error('the answer was lost');
      },
    };
    const options = { store: losing };
    const handler = async (_: unknown, { idempotency }: { idempotency: { attempt: number } }) => idempotency.attempt;
    expect(await thrownBy(guards.guarded({ handler, options })(order))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await guards.guarded({ handler })(order)).toBe(3);
  });
});

describe('a claim that the store refused', () => {
  it('is not taken back: nothing was written', async () => {
    const { store } = guards;
    const remove = vi.fn(store.remove);
    const refusing: RecordStore = {
      ...store,
      remove,
      insert: async () => {
        throw new IdempotencyError('STORE_UNAVAILABLE', 'denied', { retryable: false });
      },
    };
    const call = guards.guarded({ handler: async () => 'executed', options: { store: refusing } });
    expect(await thrownBy(call(newOrder()))).toMatchObject({ message: 'denied' });
    expect(remove).not.toHaveBeenCalled();
  });

  it('leaves no record behind when it was answered after its lease', async () => {
    const { store, clock } = guards;
    const removed = deferred();
    const slow: RecordStore = {
      ...store,
      insert: async (record) => {
        const answer = await store.insert(record);
        clock.advance(30_000);
        return answer;
      },
      remove: async (...args) => {
        const answer = await store.remove(...args);
        removed.resolve();
        return answer;
      },
    };
    const order = newOrder();
    await thrownBy(guards.guarded({ handler: async () => 'late', options: { store: slow } })(order));
    await removed.promise;
    expect(await guards.guarded({ handler: async (_, { idempotency }) => idempotency.attempt })(order)).toBe(1);
  });
});

describe('outside Lambda', () => {
  it('nobody waits for the end of a long lease while the store is down', async () => {
    const { store } = guards;
    const clock = new TestClock();
    const delays: number[] = [];
    clock.delay = (millis) => {
      delays.push(millis);
      clock.advance(millis);
      return { elapsed: new Promise((resolve) => setImmediate(resolve)), cancel: () => undefined };
    };
    const down: RecordStore = { ...store, replace: () => new Promise(() => undefined) };
    const call = guards.idempotent(async (_order: Order) => 'done', { store: down, leaseMillis: 3_600_000 }, clock);
    expect(await call(newOrder())).toBe('done');
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000);
    expect(guards.eventTypes().at(-1)).toBe('completionFailed');
  });
});

describe('events', () => {
  it('carry the operation, the id, the attempt and the time since the claim began', async () => {
    guards.events.length = 0;
    const order = newOrder();
    const call = guards.guarded({
      handler: async () => {
        guards.clock.advance(120);
        return 'done';
      },
    });
    await call(order);
    await call(order);
    const id = expect.stringMatching(/^test#[\w-]{43}$/);
    expect(guards.events).toEqual([
      { type: 'claimed', operation: 'test', id, attempt: 1, durationMillis: 0 },
      { type: 'completed', operation: 'test', id, attempt: 1, durationMillis: 120 },
      { type: 'replayed', operation: 'test', id, attempt: 1, durationMillis: 0 },
    ]);
  });

  it('tell a takeover and its reason', async () => {
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    guards.clock.advance(31_000);
    guards.events.length = 0;
    await guards.guarded({ handler: async () => 'second' })(order);
    expect(guards.events).toMatchObject([
      { type: 'takenOver', attempt: 2, reason: 'lease over' },
      { type: 'completed', attempt: 2 },
    ]);
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
