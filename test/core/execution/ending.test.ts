import { IdempotencyError, type IdempotencyHandle, type Outcome, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { newOrder, thrownBy, useGuards, VirtualClock } from '../../support/harness.ts';

const guards = useGuards(() => memoryStore());

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

  const failing = (failures: number, error: Error): RecordStore => {
    const { store } = guards;
    let left = failures;
    return {
      ...store,
      replace: (record, expected) => (left-- > 0 ? Promise.reject(error) : store.replace(record, expected)),
    };
  };

  it('tries again while there is time, as a step does', async () => {
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        await idempotency.extend(90_000);
        return 'extended';
      },
      options: { store: failing(2, new Error('no network')) },
      clock: new VirtualClock(),
    });
    expect(await call(newOrder())).toBe('extended');
  });

  it('says what a step says when the store refuses it, and goes on working after that', async () => {
    const refused = new IdempotencyError('STORE_UNAVAILABLE', 'no', { retryable: false, advice: 'Allow it.' });
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        expect(await thrownBy(idempotency.extend(90_000))).toMatchObject({
          code: 'STORE_UNAVAILABLE',
          message: expect.stringContaining('could not be brought to its end'),
          advice: 'Allow it.',
          cause: refused,
        });
        await idempotency.extend(90_000);
        return 'extended';
      },
      options: { store: failing(3, refused) },
      clock: new VirtualClock(),
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

  describe.each(['the middleware', 'the function wrapper'])('behind %s is told', (guard) => {
    const hasEffects = async (use: (handle: IdempotencyHandle) => unknown, options: object = {}) => {
      const settle = vi.fn((_outcome: Outcome, _hasEffects: boolean) => 'store' as const);
      const body = async (handle: IdempotencyHandle) => {
        await Promise.resolve(use(handle)).catch(() => undefined);
        return 'done';
      };
      const all = { settle, ...options };
      const call =
        guard === 'the middleware'
          ? guards.guarded({ handler: (_, { idempotency }) => body(idempotency), options: all })
          : guards.idempotent((_: object, handle?: IdempotencyHandle) => body(handle as IdempotencyHandle), {
              passHandle: true,
              ...all,
            });
      await call(newOrder());
      expect(settle).toHaveBeenCalledOnce();
      expect(settle.mock.lastCall?.[0]).toEqual({ kind: 'returned', value: 'done' });
      return settle.mock.lastCall?.[1];
    };

    it('of no effects where the handler has begun none by its handle', async () => {
      expect(await hasEffects(() => undefined)).toBe(false);
      expect(await hasEffects(({ extend, deriveKey }) => extend(deriveKey('charge').length))).toBe(false);
    });

    it('of effects once a step has begun, whatever became of it', async () => {
      expect(await hasEffects(({ step }) => step('charge', () => 'charged'))).toBe(true);
      expect(await hasEffects(({ step }) => step('charge', () => Promise.reject(new Error('no'))))).toBe(true);
      expect(await hasEffects(({ step }) => void step('charge', () => new Promise(() => undefined)))).toBe(true);
    });

    it('of effects once its response is stored or may be, and of none where the store has refused it', async () => {
      const completing = async (details: { retryable?: boolean }) => {
        const { store } = guards;
        let isCompleting = true;
        const replace: RecordStore['replace'] = (...args) =>
          isCompleting
            ? Promise.reject(new IdempotencyError('STORE_UNAVAILABLE', 'no', details))
            : store.replace(...args);
        const completes = ({ complete }: IdempotencyHandle) =>
          complete('done').finally(() => {
            isCompleting = false;
          });
        return hasEffects(completes, { store: { ...store, replace } });
      };
      expect(await completing({ retryable: false })).toBe(false);
      expect(await completing({})).toBe(true);
    });
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
