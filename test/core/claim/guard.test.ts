import { type GuardedContext, IdempotencyError, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import {
  crashing,
  deferred,
  newOrder,
  type Order,
  TestClock,
  thrownBy,
  useGuards,
  VirtualClock,
} from '../../support/harness.ts';

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

  it('gives a takeover up in time when the store does not answer with the results of the steps', async () => {
    const { store, clock } = guards;
    const order = newOrder();
    const kept = deferred();
    const crash = async (_: unknown, { idempotency: { step } }: GuardedContext) => {
      await step('charge', () => 'charged');
      return crashing(() => kept.resolve())(undefined, {} as never);
    };
    void guards.guarded({ handler: crash })(order);
    await kept.promise;
    clock.advance(32_000);
    const hanging: RecordStore = {
      ...store,
      async insert(record) {
        const answer = await store.insert(record);
        if (answer.done || answer.existing === undefined) return answer;
        const checkpoints = { charge: () => new Promise<string>(() => undefined) };
        return { done: false, existing: { ...answer.existing, checkpoints } as typeof answer.existing };
      },
    };
    const virtual = Object.assign(new VirtualClock(), { now: clock.now });
    const handler = vi.fn(async () => 'executed');
    const call = guards.guarded({ handler, clock: virtual, options: { store: hanging } });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
    expect(handler).not.toHaveBeenCalled();
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
