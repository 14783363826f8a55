import {
  type Expected,
  IdempotencyError,
  type IdempotencyEvent,
  type IdempotencyHandle,
  type IdempotencyRecord,
  type RecordStore,
} from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { deferred, newOrder, thrownBy, useGuards, VirtualClock } from '../../support/harness.ts';

type Body = (handle: IdempotencyHandle) => Promise<unknown>;

let records = memoryStore();
const guards = useGuards(() => records);
beforeEach(() => {
  records = memoryStore();
});

const own = new Error('thrown by the handler');
const refused = (details: object = {}) =>
  new IdempotencyError('STORE_UNAVAILABLE', 'refused', { retryable: false, ...details });

/** A guarded function in virtual time. */
function guarded(body: Body, options: object = {}) {
  const clock = new VirtualClock();
  const call = guards.idempotent(
    (_: object, handle: IdempotencyHandle) => body(handle),
    {
      store: records,
      passHandle: true,
      ...options,
    },
    clock,
  ) as (order: object) => Promise<unknown>;
  return { call, clock };
}

/** What somebody else makes of the record while its execution is running. */
async function becomes(id: string, change: (mine: IdempotencyRecord) => object): Promise<void> {
  const mine = await records.read(id);
  if (mine === undefined) return expect.fail('there is no record');
  const { owner, status } = mine;
  await records.remove(id, { owner, status });
  const { leaseUntil: _, ...rest } = { leaseUntil: 0, ...mine };
  await records.insert({ ...rest, ...change(mine) } as IdempotencyRecord);
}

describe('a completion that meets another record', () => {
  const released = (details: object) => () => ({ status: 'RELEASED', owner: 'successor', attempt: 5, ...details });
  const ending =
    (change: (mine: IdempotencyRecord) => object): Body =>
    async ({ id }) => {
      await becomes(id, change);
      return 'mine';
    };

  it('is stored where a successor has let go, under a fencing number that is not below', async () => {
    const order = newOrder();
    const ids: string[] = [];
    const { call } = guarded(async (handle) => {
      ids.push(handle.id);
      return ending(released({}))(handle);
    });
    expect([await call(order), await call(order)]).toEqual(['mine', 'mine']);
    expect(await records.read(ids[0] ?? '')).toMatchObject({ status: 'COMPLETED', attempt: 5 });
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('is not stored over another payload that was released', async () => {
    const { call } = guarded(ending(released({ fingerprint: 'another' })));
    expect(await thrownBy(call(newOrder()))).toMatchObject({ code: 'LEASE_LOST' });
    expect(guards.eventTypes()).toEqual(['claimed', 'leaseLost']);
  });

  it('is not stored over its own release', async () => {
    const { call } = guarded(ending(released({})));
    const mine = guarded(ending(({ owner }) => ({ status: 'RELEASED', owner })));
    expect(await thrownBy(mine.call(newOrder()))).toMatchObject({
      code: 'LEASE_LOST',
      message:
        'This request took too long and was given to another execution. Retry with the same key for its outcome.',
      advice: "Make leaseMillis, or the function's timeout, longer than the longest execution.",
    });
    expect(await call(newOrder())).toBe('mine');
  });

  it('is not stored over a successor that runs', async () => {
    const ids: string[] = [];
    const running = { status: 'IN_PROGRESS', owner: 'successor', attempt: 2, leaseUntil: Number.MAX_SAFE_INTEGER };
    const { call } = guarded(async (handle) => {
      ids.push(handle.id);
      return ending(() => running)(handle);
    });
    expect(await thrownBy(call(newOrder()))).toMatchObject({ code: 'LEASE_LOST' });
    expect(await records.read(ids[0] ?? '')).toMatchObject(running);
  });

  it.each([
    ['its response', { type: 'RETURNED', json: '"theirs"' }, 'theirs'],
    [
      'what it threw',
      { type: 'THREW', json: '{"error":{"name":"E","message":"theirs"}}' },
      { name: 'E', message: 'theirs' },
    ],
    ['that it cannot be replayed', { type: 'NOT_REPLAYABLE', reason: 'no' }, { code: 'RESPONSE_NOT_REPLAYABLE' }],
  ])('gives way to a successor that has completed: its caller gets %s', async (_, outcome, expected) => {
    const { call } = guarded(ending(() => ({ status: 'COMPLETED', owner: 'successor', attempt: 2, outcome })));
    const answer = await call(newOrder()).catch((error: unknown) => error);
    if (typeof expected === 'string') expect(answer).toBe(expected);
    else expect(answer).toMatchObject(expected);
    expect(guards.eventTypes()).toEqual(['claimed', 'leaseLost']);
  });

  it.each([
    ['of another payload', { fingerprint: 'another' }],
    ['that is past its retention', { expiration: 1 }],
  ])('does not give its caller an outcome %s', async (_, details) => {
    const outcome = { type: 'RETURNED', json: '"theirs"' };
    const { call } = guarded(
      ending(() => ({ status: 'COMPLETED', owner: 'successor', attempt: 2, outcome, ...details })),
    );
    expect(await thrownBy(call(newOrder()))).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('is put back where the record is gone', async () => {
    const { call } = guarded(async ({ id }) => {
      const mine = await records.read(id);
      if (mine !== undefined) await records.remove(id, mine);
      return 'mine';
    });
    const order = newOrder();
    expect([await call(order), await call(order)]).toEqual(['mine', 'mine']);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('gives way where somebody was faster than that', async () => {
    const theirs = { status: 'COMPLETED', owner: 'another', outcome: { type: 'RETURNED', json: '"theirs"' } } as const;
    const store: RecordStore = {
      ...records,
      async replace({ id, attempt, expiration }) {
        const existing = { id, attempt, expiration, ...theirs };
        return { done: false, existing: await records.insert(existing).then(() => undefined) };
      },
    };
    const { call } = guarded(
      async ({ id }) => {
        const mine = await records.read(id);
        if (mine !== undefined) await records.remove(id, mine);
        return 'mine';
      },
      { store },
    );
    expect(await call(newOrder())).toBe('theirs');
  });
});

describe('an outcome that the store refuses', () => {
  it.each([
    [true, ['claimed', 'completed', 'notReplayable']],
    [false, ['claimed', 'completionFailed', 'inFlight']],
  ])('is kept as done where it is the record that is refused: %s', async (recordRefused, events) => {
    const store: RecordStore = {
      ...records,
      async replace(record, expected) {
        const isFull = record.status === 'COMPLETED' && record.outcome.type === 'RETURNED';
        if (isFull) throw refused({ recordRefused });
        return records.replace(record, expected);
      },
    };
    const { call } = guarded(async () => 'large', { store });
    const order = newOrder();
    expect(await call(order)).toBe('large');
    expect(await thrownBy(call(order))).toMatchObject({
      code: recordRefused ? 'RESPONSE_NOT_REPLAYABLE' : 'IN_FLIGHT',
      ...(recordRefused && { advice: expect.stringContaining('the store refused it') }),
    });
    expect(guards.eventTypes()).toEqual(events);
    const [, completed] = guards.events as (IdempotencyEvent & { notReplayable?: string })[];
    if (recordRefused) expect(completed?.notReplayable).toBe('the store refused it');
  });

  it('is tried once more in short, not for ever', async () => {
    const tried: string[] = [];
    const store: RecordStore = {
      ...records,
      async replace(record) {
        tried.push(record.status === 'COMPLETED' ? record.outcome.type : record.status);
        throw refused({ recordRefused: true });
      },
    };
    expect(await guarded(async () => 'large', { store }).call(newOrder())).toBe('large');
    expect(tried).toEqual(['RETURNED', 'NOT_REPLAYABLE']);
    expect(guards.eventTypes()).toEqual(['claimed', 'completionFailed']);
  });

  it('says nothing of being replayable where it is', async () => {
    await guarded(async () => 'small').call(newOrder());
    expect(guards.events[1]).not.toHaveProperty('notReplayable');
  });
});

describe('after complete', () => {
  it('the record is kept until the lease is over on every clock, however short the retention', async () => {
    const { call } = guarded(
      async ({ id, leaseUntil, complete }) => {
        await complete('completed');
        const { expiration = 0 } = (await records.read(id)) ?? {};
        return { keptFor: expiration * 1000 - leaseUntil };
      },
      { retentionSeconds: 1, leaseMillis: 60_000 },
    );
    expect(await call(newOrder())).toEqual({ keptFor: 1000 });
  });

  describe.each(['store', 'release', 'hold'] as const)('with the policy %s', (policy) => {
    it.each([
      ['a throw changes nothing', true],
      ['that nobody waited for, a throw releases nothing', false],
    ])('%s', async (_, isAwaited) => {
      const { call } = guarded(
        async ({ complete }) => {
          const completing = complete('completed');
          if (isAwaited) await completing;
          throw own;
        },
        { settle: () => policy },
      );
      const order = newOrder();
      expect(await thrownBy(call(order))).toBe(own);
      expect(await call(order)).toBe('completed');
      expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
    });
  });

  it.each(['release', 'hold'] as const)('what is returned takes its place, whatever the policy: %s', async (policy) => {
    const { call } = guarded(
      async ({ complete }) => {
        await complete('completed');
        return 'returned';
      },
      { settle: () => policy },
    );
    const order = newOrder();
    expect([await call(order), await call(order)]).toEqual(['returned', 'returned']);
  });

  it('its response is in the cache once it is final, and not before', async () => {
    const order = newOrder();
    const inside: unknown[] = [];
    const { call } = guarded(
      async ({ complete, attempt }) => {
        await complete('completed');
        if (attempt === 1) inside.push(await call(order));
        throw own;
      },
      { cache: { maxEntries: 5 } },
    );
    expect(await thrownBy(call(order))).toBe(own);
    expect(inside).toEqual(['completed']);
    await call(order);
    const replays = guards.events.filter(({ type }) => type === 'replayed');
    expect(replays.map((event) => 'fromCache' in event)).toEqual([false, true]);
  });

  it('needs no lease any more: extend writes nothing, and its end is no loss', async () => {
    let writes = 0;
    const store: RecordStore = {
      ...records,
      replace: async (record, expected) => {
        writes++;
        return records.replace(record, expected);
      },
    };
    const { call, clock } = guarded(
      async ({ complete, extend, step }) => {
        await complete('completed');
        await extend(900_000);
        clock.advance(70_000);
        return step('mail', () => 'sent');
      },
      { store },
    );
    expect(await call(newOrder())).toBe('sent');
    expect(writes).toBe(2);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'completed']);
  });

  it('failed for good, transact and complete may be tried again; without an answer only complete', async () => {
    let failure: IdempotencyError | undefined = refused();
    const store: RecordStore<string> = {
      ...records,
      async replace(record, expected) {
        if (failure !== undefined) throw failure;
        return records.replace(record, expected);
      },
      transact: async (record, expected) => records.replace(record as IdempotencyRecord, expected as Expected),
    };
    const attempt = async (body: (handle: IdempotencyHandle<string>) => Promise<unknown>) =>
      guarded(body as Body, { store }).call(newOrder());
    await attempt(async ({ complete, transact }) => {
      expect(await thrownBy(complete('one'))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: false });
      await transact(['item'], 'two');
      // An amendment that is refused takes nothing back.
      expect(await thrownBy(complete('three'))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(await thrownBy(transact(['item'], 'four'))).toBeInstanceOf(TypeError);
    });
    await attempt(async ({ complete, transact }) => {
      failure = refused({ retryable: true });
      expect(await thrownBy(complete('one'))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
      expect(await thrownBy(transact(['item'], 'two'))).toBeInstanceOf(TypeError);
      failure = undefined;
      await complete('three');
    });
  });

  it('and after its end, nothing is completed', async () => {
    let late: (() => Promise<void>) | undefined;
    const { call } = guarded(async ({ complete }) => {
      late = () => complete('late');
      return 'returned';
    });
    const order = newOrder();
    await call(order);
    expect(await thrownBy(late?.() ?? Promise.resolve())).toMatchObject({
      code: 'LEASE_LOST',
      message: 'The execution of this request has ended. Retry with the same key for its outcome.',
      advice: 'The handler has ended: await every step before that.',
    });
    expect(await call(order)).toBe('returned');
  });
});

describe('a release', () => {
  it('keeps checkpoints where there are any, and says nothing of them where there are none', async () => {
    const ids: string[] = [];
    const throwing = (names: string[]) =>
      guarded(async ({ id, step }) => {
        ids.push(id);
        for (const name of names) await step(name, () => name);
        throw own;
      });
    await thrownBy(throwing([]).call(newOrder()));
    await thrownBy(throwing(['a']).call(newOrder()));
    expect(await records.read(ids[0] ?? '')).not.toHaveProperty('checkpoints');
    expect(await records.read(ids[1] ?? '')).toMatchObject({ checkpoints: { a: '{"result":"a"}' } });
    expect(guards.eventTypes()).toEqual(['claimed', 'released', 'claimed', 'checkpointed', 'released']);
  });

  it('of a record that is somebody else’s is a lost lease', async () => {
    const { call } = guarded(async ({ id }) => {
      await becomes(id, () => ({ status: 'IN_PROGRESS', owner: 'successor', leaseUntil: Number.MAX_SAFE_INTEGER }));
      throw own;
    });
    expect(await thrownBy(call(newOrder()))).toBe(own);
    expect(guards.eventTypes()).toEqual(['claimed', 'leaseLost']);
  });

  it('of a record that is gone is one', async () => {
    const { call } = guarded(async ({ id }) => {
      const mine = await records.read(id);
      if (mine !== undefined) await records.remove(id, mine);
      throw own;
    });
    expect(await thrownBy(call(newOrder()))).toBe(own);
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });

  it('does not come before the end of a step that is still running; held where it does not end in time', async () => {
    const never = deferred();
    const { call } = guarded(async ({ step }) => {
      void step('slow', () => never.promise);
      throw own;
    });
    expect(await thrownBy(call(newOrder()))).toBe(own);
    expect(guards.events.map((event) => [event.type, 'reason' in event && event.reason])).toEqual([
      ['claimed', false],
      ['held', 'timeout'],
    ]);
  });
});

describe('a handler that holds by its policy', () => {
  it('has not been stopped: its signal does not fire', async () => {
    const signals: AbortSignal[] = [];
    const { call } = guarded(
      async ({ signal }) => {
        signals.push(signal);
        throw own;
      },
      { settle: () => 'hold' },
    );
    expect(await thrownBy(call(newOrder()))).toBe(own);
    expect(signals[0]?.aborted).toBe(false);
  });
});

describe('extend', () => {
  it.each([[undefined], [null], ['5'], [{}], [true], [0], [-1], [Number.NaN], [1e300], [31_536_000_001]])(
    'refuses %j',
    async (millis) => {
      const { call } = guarded(({ extend }) => extend(millis as never));
      expect(await thrownBy(call(newOrder()))).toMatchObject({
        name: 'TypeError',
        message: `middy-idempotency: option \`extend(millis)\`: must be a finite number above 0 and at most 31536000000, not ${typeof millis === 'string' ? `'${millis}'` : typeof millis === 'object' && millis !== null ? 'an empty object' : millis}`,
      });
    },
  );

  it.each(['release', 'hold'] as const)('after the end does nothing: %s', async (settlement) => {
    let late: (() => Promise<void>) | undefined;
    const ids: string[] = [];
    const { call } = guarded(
      async ({ id, extend }) => {
        ids.push(id);
        late = () => extend(900_000);
        throw own;
      },
      { settle: () => settlement },
    );
    await thrownBy(call(newOrder()));
    const before = await records.read(ids[0] ?? '');
    await late?.();
    expect(await records.read(ids[0] ?? '')).toEqual(before);
    expect(guards.eventTypes()).toEqual(['claimed', settlement === 'hold' ? 'held' : 'released']);
  });
});

describe('a lost lease', () => {
  it('is told once, stops the signal with what to do, and nothing is released', async () => {
    const { call } = guarded(async ({ id, signal, extend, step }) => {
      await becomes(id, () => ({ status: 'IN_PROGRESS', owner: 'successor', leaseUntil: Number.MAX_SAFE_INTEGER }));
      const { aborted } = signal;
      expect(aborted).toBe(false);
      const [first, second] = await Promise.all([thrownBy(extend(900_000)), thrownBy(step('a', () => 'a'))]);
      expect([first, second]).toMatchObject([{ code: 'LEASE_LOST' }, { code: 'LEASE_LOST' }]);
      expect(signal.reason).toMatchObject({ code: 'LEASE_LOST' });
      const begun = vi.fn();
      expect(await thrownBy(step('b', begun))).toMatchObject({ code: 'LEASE_LOST' });
      expect(begun).not.toHaveBeenCalled();
      throw own;
    });
    expect(await thrownBy(call(newOrder()))).toBe(own);
    expect(guards.eventTypes()).toEqual(['claimed', 'leaseLost']);
  });

  it('is near when the signal fires, which says so', async () => {
    const { call } = guarded(
      async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        throw signal.reason;
      },
      { leaseMillis: 5000 },
    );
    expect(await thrownBy(call(newOrder()))).toMatchObject({
      code: 'LEASE_LOST',
      message: 'This request takes too long. Retry with the same key for its outcome.',
      advice: 'The lease ends in a moment: make leaseMillis longer, or renew it.',
    });
    expect(guards.eventTypes()).toEqual(['claimed', 'held']);
  });
});

describe('a checkpoint', () => {
  const kept = async (text: string) => {
    const order = newOrder();
    let isFirst = true;
    const { call } = guarded(async ({ step }) => {
      if (isFirst) {
        isFirst = false;
        await step('charge', () => 'c');
        throw own;
      }
      return step('charge', () => 'again');
    });
    await thrownBy(call(order));
    const { id = '' } = guards.events[0] ?? {};
    await becomes(id, () => ({ status: 'RELEASED', checkpoints: { charge: text } }));
    return call(order);
  };

  it.each(['null', '1', '"text"', 'true', 'no JSON'])(
    'that is %s is none of ours: nothing is executed',
    async (text) => {
      const error = await thrownBy(kept(text));
      expect(error, 'the text may be confidential').not.toHaveProperty('cause');
      expect(error).toMatchObject({
        code: 'RECORD_INVALID',
        message: 'The record of this request cannot be read. It is not executed.',
        advice: "The checkpoint 'charge' of the record is not what this version writes.",
      });
    },
  );

  it('without a result says what to do', async () => {
    expect(await thrownBy(kept('{"notReplayable":"it is a cycle"}'))).toMatchObject({
      code: 'RESPONSE_NOT_REPLAYABLE',
      message:
        'A part of this request has been executed, and its result could not be stored. It is not executed again.',
      advice:
        "The result of step 'charge' was not stored because it is a cycle. Let the step return less, such as an id.",
    });
  });
});
