import { randomBytes } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { type Body, type Handle, handling, useExecutions } from '../support/execution-harness.ts';
import type { DynamoDBRequest } from '../support/fault-proxy.ts';
import { crashing, deferred, lambdaContext, MIDDY_VERSIONS, newOrder, thrownBy } from '../support/harness.ts';

const { guards, proxy, throughProxy } = useExecutions();

const isCheckpoint = ({ body }: DynamoDBRequest) => body.includes('"checkpoints":');

describe.each(MIDDY_VERSIONS)('a step runs once, with %s', (_, middy) => {
  it('and a later attempt gets its result, also after an error', async () => {
    const reserve = vi.fn(async () => ({ id: 'r1', at: new Date(0) }));
    const charge = vi.fn(async () => 'c1').mockRejectedValueOnce(new Error('no network'));
    const body: Body = async ({ step }) => [await step('reserve', reserve), await step('charge', charge)];
    const call = guards.guarded({ middy, handler: handling(body) });
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ message: 'no network' });
    const outcome = [{ id: 'r1', at: '1970-01-01T00:00:00.000Z' }, 'c1'];
    expect(await call(order)).toEqual(outcome);
    expect(await call(order)).toEqual(outcome);
    expect([reserve.mock.calls.length, charge.mock.calls.length]).toEqual([1, 2]);
    expect(guards.eventTypes()).toEqual([
      ...['claimed', 'checkpointed', 'released'],
      ...['takenOver', 'stepSkipped', 'checkpointed', 'completed', 'replayed'],
    ]);
  });

  it('and an attempt after a crash gets its result', async () => {
    const reserve = vi.fn(async () => 'r1');
    const reached = deferred();
    const order = newOrder();
    void guards.guarded({
      middy,
      handler: async (event, context) => {
        await context.idempotency.step('reserve', reserve);
        return crashing(() => reached.resolve())(event, context);
      },
    })(order);
    await reached.promise;
    guards.clock.advance(31_001);
    const call = guards.guarded({ middy, handler: handling(async ({ step }) => step('reserve', reserve)) });
    expect(await call(order)).toBe('r1');
    expect(reserve).toHaveBeenCalledTimes(1);
  });

  it('and refuses to begin after a timeout of Middy', async () => {
    const effect = vi.fn(async () => undefined);
    const gate = deferred();
    let late: Promise<unknown> = Promise.resolve();
    const body: Body = async ({ step }) => {
      await gate.promise;
      late = step('late', effect);
    };
    const timeoutEarlyResponse = () => {
      guards.clock.advance(200);
      return 'timeout';
    };
    const plugin = { timeoutEarlyInMillis: 29_900, timeoutEarlyResponse } as never;
    const options = { timeoutEarlyInMillis: 29_900 };
    const call = guards.guarded({ middy, handler: handling(body), plugin, options });
    expect(await call(newOrder())).toBe('timeout');
    gate.resolve();
    await vi.waitFor(async () => expect(await thrownBy(late)).toMatchObject({ code: 'LEASE_LOST' }));
    expect(effect).not.toHaveBeenCalled();
  });
});

describe('a payment of three steps: reserve, charge, confirm', () => {
  const LINES = ['before reserve', 'reserved', 'reserve kept', 'charged', 'charge kept', 'confirmed', 'confirm kept'];

  it.each(LINES)('killed when it is "%s": each effect happens once, the running one at most twice', async (line) => {
    const effects = { reserve: 0, charge: 0, confirm: 0 };
    const reached = deferred();
    const pay = (diesAt?: string) =>
      handling(async ({ step }) => {
        const at = (here: string) => {
          if (here !== diesAt) return undefined;
          reached.resolve();
          return new Promise(() => undefined);
        };
        await at('before reserve');
        const reserved = await step('reserve', async () => {
          effects.reserve++;
          await at('reserved');
          return `r${effects.reserve}`;
        });
        await at('reserve kept');
        const charged = await step('charge', async () => {
          effects.charge++;
          await at('charged');
          return `c${effects.charge}`;
        });
        await at('charge kept');
        await step('confirm', async () => {
          effects.confirm++;
          await at('confirmed');
        });
        await at('confirm kept');
        return { reserved, charged };
      });
    const order = newOrder();
    void guards.guarded({ handler: pay(line) })(order);
    await reached.promise;
    guards.clock.advance(31_100);
    const answer = await guards.guarded({ handler: pay() })(order);
    const once = { reserve: 1, charge: 1, confirm: 1 };
    const again = { reserved: { reserve: 2 }, charged: { charge: 2 }, confirmed: { confirm: 2 } }[line];
    expect(effects).toEqual({ ...once, ...again });
    expect(await guards.guarded({ handler: pay() })(order)).toEqual(answer);
    expect(effects).toEqual({ ...once, ...again });
  });
});

describe('a result is what JSON leaves of it', () => {
  it.each([
    ['undefined', undefined, undefined],
    ['null', null, null],
    ['a Date', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an empty string', '', ''],
    [
      'an object with a member __proto__',
      JSON.parse('{"__proto__":{"admin":true}}'),
      JSON.parse('{"__proto__":{"admin":true}}'),
    ],
  ])('on the first attempt and on the next: %s', async (_, value, expected) => {
    const seen: unknown[] = [];
    const body: Body = async ({ step }) => {
      seen.push(await step('one', async () => value));
      if (seen.length === 1) throw new Error('again');
    };
    const call = guards.guarded({ handler: handling(body) });
    const order = newOrder();
    await thrownBy(call(order));
    await call(order);
    expect(seen.map((one) => JSON.stringify(one))).toEqual([JSON.stringify(expected), JSON.stringify(expected)]);
    expect(seen.map((one) => typeof one)).toEqual([typeof expected, typeof expected]);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('and a fresh object each time', async () => {
    const shared = { lines: [1] };
    const body: Body = async ({ step }) => {
      const mine = await step('one', () => shared);
      mine.lines.push(2);
      return shared;
    };
    expect(await guards.guarded({ handler: handling(body) })(newOrder())).toEqual({ lines: [1] });
  });

  it.each([
    ['a BigInt', () => 10n, 'BigInt'],
    ['a function', () => () => 1, 'function'],
    ['17 MB', () => 'x'.repeat(17 * 1024 * 1024), 'the record cannot hold it'],
  ])('%s cannot be kept: the step is done all the same, and is not run again', async (_, make, reason) => {
    const effect = vi.fn(async () => make() as string);
    const small = vi.fn(async () => 'small');
    const body: Body = async ({ step }) => {
      await step('small', small);
      await step('large', effect);
    };
    const call = guards.guarded({ handler: handling(body) });
    const order = newOrder();
    const refused = { code: 'RESPONSE_NOT_REPLAYABLE', advice: expect.stringMatching(`step 'large'.*${reason}`) };
    expect(await thrownBy(call(order))).toMatchObject(refused);
    expect(await thrownBy(call(order))).toMatchObject(refused);
    expect(effect).toHaveBeenCalledTimes(1);
    expect(small).toHaveBeenCalledTimes(1);
  });
});

it('a result of 500 KB is kept, in items of its own', async () => {
  const result = randomBytes(500_000).toString('base64');
  const effect = vi.fn(async () => result);
  const body: Body = async ({ step, attempt }) => {
    const kept = await step('large', effect);
    if (attempt === 1) throw new Error('again');
    return kept === result;
  };
  const call = guards.guarded({ handler: handling(body) });
  const order = newOrder();
  await thrownBy(call(order));
  expect(await call(order)).toBe(true);
  expect(effect).toHaveBeenCalledTimes(1);
});

describe('the name of a step', () => {
  it.each(['constructor', 'toString', 'hasOwnProperty', 'a.b[0]', '#name', ' ', 'ä'.repeat(255)])(
    'may be %s',
    async (name) => {
      const effect = vi.fn(async () => 1);
      const body: Body = async ({ step, attempt }) => {
        await step(name, effect);
        if (attempt === 1) throw new Error('again');
      };
      const call = guards.guarded({ handler: handling(body) });
      const order = newOrder();
      await thrownBy(call(order));
      await call(order);
      expect(effect).toHaveBeenCalledTimes(1);
    },
  );

  it.each(['', 'x'.repeat(256), '__proto__', '\ud800', 7 as never, undefined as never])(
    'may not be %s',
    async (name) => {
      const effect = vi.fn();
      const call = guards.guarded({ handler: handling(async ({ step }) => step(name, effect)) });
      expect(await thrownBy(call(newOrder()))).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('name'),
      });
      expect(effect).not.toHaveBeenCalled();
    },
  );

  it('stands for one effect: used twice, also at once, it is refused', async () => {
    const effect = vi.fn(async () => 1);
    const twice = guards.guarded({
      handler: handling(async ({ step }) => {
        await step('one', effect);
        await step('one', effect);
      }),
    });
    expect(await thrownBy(twice(newOrder()))).toMatchObject({ message: expect.stringContaining("step('one')") });
    const atOnce = guards.guarded({
      handler: handling(({ step }) => Promise.all([step('one', effect), step('one', effect)])),
    });
    expect(await thrownBy(atOnce(newOrder()))).toMatchObject({ message: expect.stringContaining("step('one')") });
    expect(effect).toHaveBeenCalledTimes(2);
  });

  it('can be used again when its effect threw', async () => {
    const flaky = vi.fn(async () => 'done').mockRejectedValueOnce(new Error('no network'));
    const body: Body = async ({ step }) => step('one', flaky).catch(() => step('one', flaky));
    expect(await guards.guarded({ handler: handling(body) })(newOrder())).toBe('done');
  });
});

describe('steps at the same time', () => {
  it('are all kept, and extensions of the lease among them', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `step ${index}`);
    const effect = vi.fn(async (name: string) => name);
    const body: Body = async ({ step, extend, attempt }) => {
      const all = await Promise.all([...names.map((name) => step(name, () => effect(name))), extend(90_000)]);
      if (attempt === 1) throw new Error('again');
      return all.slice(0, -1);
    };
    const call = guards.guarded({ handler: handling(body) });
    const order = newOrder();
    await thrownBy(call(order));
    expect(await call(order)).toEqual(names);
    expect(effect).toHaveBeenCalledTimes(12);
  });

  it('are waited for when one of them fails: nothing is released under a running effect', async () => {
    const slow = deferred<string>();
    const effect = vi.fn(() => slow.promise);
    const fails = async () => {
      throw new Error('failed');
    };
    const body: Body = ({ step, attempt }) =>
      Promise.all([step('slow', effect), step('fast', attempt === 1 ? fails : async () => 'fast')]);
    const call = guards.guarded({ handler: handling(body) });
    const order = newOrder();
    const first = thrownBy(call(order));
    await vi.waitFor(() => expect(effect).toHaveBeenCalled());
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
    slow.resolve('slow');
    expect(await first).toMatchObject({ message: 'failed' });
    expect(await call(order)).toEqual(['slow', 'fast']);
    expect(effect).toHaveBeenCalledTimes(1);
  });
});

describe('a step of an execution that lost its lease', () => {
  async function overtaken(
    body: (handle: Handle, takenOver: () => Promise<void>) => Promise<unknown>,
    successor: Body,
  ) {
    const order = newOrder();
    const takeOver = async () => {
      guards.clock.advance(31_500);
      await guards.guarded({ handler: handling(successor) })(order);
    };
    const options = { leaseMillis: 30_000 };
    const context = lambdaContext(guards.clock, { remainingMillis: 900_000 });
    const first = guards.guarded({ handler: handling((handle) => body(handle, takeOver)), options })(order, context);
    return { order, error: await thrownBy(first) };
  }

  it('does not begin when its own clock says that the lease is over', async () => {
    const effect = vi.fn();
    const { error } = await overtaken(
      async ({ step }) => {
        guards.clock.advance(30_000);
        await step('late', effect);
      },
      async () => 'unused',
    );
    expect(error).toMatchObject({ code: 'LEASE_LOST' });
    expect(effect).not.toHaveBeenCalled();
  });

  it('changes nothing of what its successor wrote, and stops the execution before the next one', async () => {
    const next = vi.fn();
    const { order, error } = await overtaken(
      async ({ step }, takeOver) => {
        await step('one', takeOver);
        await step('two', next);
      },
      async ({ step }) => step('one', () => 'second'),
    );
    expect(error).toMatchObject({ code: 'LEASE_LOST' });
    expect(next).not.toHaveBeenCalled();
    expect(guards.eventTypes()).toContain('leaseLost');
    expect(await guards.guarded({ handler: async () => 'third' })(order)).toBe('second');
  });
});

describe('faults while a step is kept', () => {
  const twoAttempts =
    (effect: () => unknown): Body =>
    async ({ step, attempt }) => {
      const result = await step('one', effect);
      if (attempt === 1) throw new Error('again');
      return result;
    };

  it.each(['lose answer', 'throttle'] as const)('are got over: %s', async (fault) => {
    let faults = 2;
    proxy.decide = (request) => (isCheckpoint(request) && faults-- > 0 ? fault : 'pass');
    const effect = vi.fn(async () => 'done');
    const call = guards.guarded({ handler: handling(twoAttempts(effect)), options: { store: throughProxy() } });
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ message: 'again' });
    expect(await call(order)).toBe('done');
    expect(effect).toHaveBeenCalledTimes(1);
  });

  it('end in STORE_UNAVAILABLE, and the release carries what could not be kept before', async () => {
    let isDown = true;
    proxy.decide = (request) => (isDown && isCheckpoint(request) ? 'throttle' : 'pass');
    const effect = vi.fn(async () => 'done');
    const body: Body = async ({ step }) => {
      try {
        return await step('one', effect);
      } catch (error) {
        isDown = false;
        throw error;
      }
    };
    const options = { store: throughProxy(), leaseMillis: 1500 };
    const call = guards.idempotent(async (_order: object, handle?: Handle) => body(handle as Handle), {
      ...options,
      passHandle: true,
    });
    const order = newOrder();
    // The time for writes is over once the clock says so.
    const effectThen = effect.mockImplementationOnce(async () => {
      guards.clock.advance(1400);
      return 'done';
    });
    expect(await thrownBy(call(order))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      advice: expect.stringContaining("Step 'one' is done"),
    });
    expect(guards.eventTypes()).toEqual(['claimed', 'checkpointFailed', 'released']);
    expect(await call(order)).toBe('done');
    expect(effectThen).toHaveBeenCalledTimes(1);
  });

  it('never let a write that arrives late undo a later one', async () => {
    // The first write gets no answer and is on its way for long; meanwhile it is sent again, and a second step is kept.
    const { store } = guards;
    const late: (() => Promise<unknown>)[] = [];
    let first = true;
    const delaying = {
      ...store,
      replace: async (...args: Parameters<typeof store.replace>) => {
        if (!first || args[0].status !== 'IN_PROGRESS') return store.replace(...args);
        first = false;
        late.push(() => store.replace(...args));
        throw new Error('no answer');
      },
    };
    const body: Body = async ({ step, id }) => {
      await step('one', () => 1);
      await step('two', () => 2);
      for (const arrives of late) await arrives();
      return Object.keys(((await store.read(id)) as { checkpoints: object }).checkpoints).sort();
    };
    const call = guards.guarded({ handler: handling(body), options: { store: delaying } });
    expect(await call(newOrder())).toEqual(['one', 'two']);
  });
});

describe('checkpoints', () => {
  it('are gone with the completion, and after the retention', async () => {
    const effect = vi.fn(async () => 'done');
    const body: Body = async ({ step, id }) => {
      await step('one', effect);
      return id;
    };
    const failing: Body = async (handle) => {
      await body(handle);
      throw new Error('again');
    };
    const options = { retentionSeconds: 60 };
    const order = newOrder();
    await thrownBy(guards.guarded({ handler: handling(failing), options })(order));
    guards.clock.advance(61_001);
    const id = await guards.guarded({ handler: handling(body), options })(order);
    expect(effect).toHaveBeenCalledTimes(2);
    expect(await guards.store.read(String(id))).not.toHaveProperty('checkpoints');
  });

  it('cost one write for each step, and nothing where there is none', async () => {
    const options = { store: throughProxy() };
    await guards.guarded({ handler: handling(async () => 'done'), options })(newOrder());
    expect(proxy.seen.splice(0)).toHaveLength(2);
    const body: Body = async ({ step }) => [await step('one', () => 1), await step('two', () => 2)];
    await guards.guarded({ handler: handling(body), options })(newOrder());
    expect(proxy.seen.map(({ operation }) => operation)).toEqual(['PutItem', 'PutItem', 'PutItem', 'PutItem']);
  });
});
