import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Outcome } from '../../src/core/record/outcome.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { incompressible } from '../../tools/api-responses.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { lambdaContext, MIDDY_VERSIONS, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';
import { localClient } from '../support/table.ts';

const guards = useGuards();
const proxy = useFaultProxy();
afterEach(() => vi.useRealTimers());

const isCompletion = ({ body }: { body: string }) => body.includes('COMPLETED');

describe.each(MIDDY_VERSIONS)('I4 a finished effect is never forgotten, with %s', (_, middy) => {
  const charged = { statusCode: 201, body: 'charged' };

  /** Calls with a handler that counts, and hooks of other middlewares; then retries without those hooks. */
  async function callAndRetry(behind: object[], order: Order = newOrder()) {
    const handler = vi.fn(async () => charged);
    const first = await guards
      .guarded({ middy, handler, behind: behind as never })(order)
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
    const retry = guards
      .guarded({ middy, handler })(order)
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );
    return { first, retry: await retry, executions: handler.mock.calls.length };
  }

  const failing = Object.assign(new Error('an after hook failed'), { statusCode: 500 });
  const throwsAfter = {
    after: async () => {
      throw failing;
    },
  };

  it('gives a retry the error that the caller saw, when an after hook threw', async () => {
    const { first, retry, executions } = await callAndRetry([throwsAfter]);
    expect(first).toEqual({ error: failing });
    expect(retry).toEqual({ error: expect.objectContaining({ message: failing.message, statusCode: 500 }) });
    expect(executions).toBe(1);
  });

  it('gives a retry the response that an error handler made of it', async () => {
    const made = { statusCode: 500, body: 'sorry' };
    const handlesErrors = {
      onError: async (request: { response: unknown }) => {
        request.response = made;
      },
    };
    const { first, retry, executions } = await callAndRetry([handlesErrors, throwsAfter]);
    expect(first).toEqual({ value: made });
    expect(retry).toEqual({ value: made });
    expect(executions).toBe(1);
  });

  it('stores the response that an error handler returned, which ends the chain before our hook', async () => {
    const made = { statusCode: 500, body: 'sorry' };
    const { first, retry, executions } = await callAndRetry([{ onError: async () => made }, throwsAfter]);
    expect(first).toEqual({ value: made });
    expect(retry).toEqual({ value: made });
    expect(executions).toBe(1);
  });

  it('stores the outcome when a hook of the error path throws, so that our own is skipped', async () => {
    const rethrown = new Error('the error handler failed, too');
    const rethrows = {
      onError: async () => {
        throw rethrown;
      },
    };
    const order = newOrder();
    const handler = vi.fn(async () => charged);
    const call = guards.guarded({ middy, handler, behind: [rethrows, throwsAfter] as never });
    expect(await thrownBy(call(order))).toBe(rethrown);
    // Nothing can be awaited there any more; the write has begun all the same.
    await vi.waitFor(() => expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'completed']));
    expect(await thrownBy(guards.guarded({ middy, handler })(order))).toMatchObject({ message: rethrown.message });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('stores the response of an after hook that ends the chain before our hook', async () => {
    const made = { statusCode: 201, body: 'decorated' };
    const { first, retry, executions } = await callAndRetry([{ after: async () => made }]);
    expect(first).toEqual({ value: made });
    expect(retry).toEqual({ value: made });
    expect(executions).toBe(1);
  });

  it('stores the final response, as the hooks behind have changed it', async () => {
    const decorates = {
      after: async (request: { response: object }) => {
        request.response = { ...request.response, headers: { 'x-decorated': '1' } };
      },
    };
    const { first, retry, executions } = await callAndRetry([decorates]);
    expect(first).toEqual({ value: { ...charged, headers: { 'x-decorated': '1' } } });
    expect(retry).toEqual(first);
    expect(executions).toBe(1);
  });

  it('does not release when an after hook throws after undefined was returned', async () => {
    const order = newOrder();
    const handler = vi.fn(async () => undefined);
    await thrownBy(guards.guarded({ middy, handler, behind: [throwsAfter] as never })(order));
    await thrownBy(guards.guarded({ middy, handler })(order));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("releases after a hook's failure only when the user's own policy releases the handler's response", async () => {
    const order = newOrder();
    const handler = vi.fn(async () => ({ statusCode: 503 }));
    const settle = vi.fn((outcome: { kind: string; value?: unknown }) =>
      (outcome.value as { statusCode: number } | undefined)?.statusCode === 503 ? 'release' : 'store',
    );
    const options = { settle: settle as never };
    await thrownBy(guards.guarded({ middy, handler, options, behind: [throwsAfter] as never })(order));
    expect(settle).toHaveBeenCalledExactlyOnceWith({ kind: 'returned', value: { statusCode: 503 } }, false);
    await guards.guarded({ middy, handler, options })(order);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  describe('the policy judges what the handler returned, once, whatever a hook behind makes of it:', () => {
    type Request = { response: { statusCode: number } };
    const broken = { statusCode: 500, body: 'the response is not valid' };
    const assigning = (response: { statusCode: number }) => ({
      after: async (request: Request) => {
        request.response = response;
      },
    });
    const WAYS: [string, object][] = [
      ['assigns', assigning(broken)],
      ['returns, which ends the chain,', { after: async () => broken }],
      ['writes into it', { after: async ({ response }: Request) => void Object.assign(response, broken) }],
    ];
    const byStatus = vi.fn((outcome: Outcome) => {
      const { statusCode } =
        outcome.kind === 'returned' ? (outcome.value as { statusCode: number }) : { statusCode: 500 };
      return statusCode >= 500 ? 'release' : 'store';
    });

    it.each(WAYS)('a 500 that a hook %s is stored, and the card is not charged again', async (_way, hook) => {
      byStatus.mockClear();
      const handler = vi.fn(async () => ({ statusCode: 201, body: 'charged' }));
      const call = guards.guarded({ middy, handler, behind: [hook] as never, options: { settle: byStatus } });
      const order = newOrder();
      expect([await call(order), await call(order)]).toEqual([broken, broken]);
      expect(handler).toHaveBeenCalledTimes(1);
      expect(byStatus).toHaveBeenCalledTimes(1);
      expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
    });

    it('and a failure of the handler is released, however well a hook presents it', async () => {
      const handler = vi.fn(async () => ({ statusCode: 503 }));
      const behind = [assigning({ statusCode: 200 })] as never;
      const call = guards.guarded({ middy, handler, behind, options: { settle: byStatus } });
      const order = newOrder();
      expect([await call(order), await call(order)]).toEqual([{ statusCode: 200 }, { statusCode: 200 }]);
      expect(handler).toHaveBeenCalledTimes(2);
    });
  });

  it('releases when a hook behind it threw before the handler ran', async () => {
    const order = newOrder();
    const handler = vi.fn(async () => charged);
    const rejects = {
      before: async () => {
        throw new Error('invalid');
      },
    };
    await expect(guards.guarded({ middy, handler, behind: [rejects] as never })(order)).rejects.toThrow('invalid');
    expect(await guards.guarded({ middy, handler })(order)).toEqual(charged);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  /** Middy 7 runs hooks that are not async in one go, without a moment in between. */
  const HOOK_KINDS = [
    ['async', (hook: (request: Hooked) => unknown) => async (request: Hooked) => hook(request)],
    ['sync', (hook: (request: Hooked) => unknown) => (request: Hooked) => hook(request)],
  ] as const;
  interface Hooked {
    response: unknown;
    earlyResponse?: unknown;
    error: Error & { statusCode?: number };
  }
  const made = { statusCode: 500, body: 'sorry' };
  const ERROR_HOOKS: [string, (request: Hooked) => unknown][] = [
    [
      'sets a response',
      (request) => {
        request.response = made;
      },
    ],
    ['returns a response', () => made],
    [
      'replaces the error',
      (request) => {
        request.error = new Error('replaced');
      },
    ],
    [
      'throws another error',
      () => {
        throw new Error('thrown instead');
      },
    ],
    [
      'changes the error in place',
      (request) => {
        request.error.message = 'changed';
        request.error.statusCode = 418;
      },
    ],
    ['does nothing', () => undefined],
  ];

  describe.each(HOOK_KINDS)('with %s hooks', (_kind, hooked) => {
    const described = (result: { value?: unknown; error?: unknown }) => {
      const { message, statusCode } = (result.error ?? {}) as Hooked['error'];
      return JSON.stringify('value' in result ? result.value : { message, statusCode });
    };
    const outcomeOf = (running: Promise<unknown>) =>
      running.then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      );

    it.each(ERROR_HOOKS)(
      'a retry sees what the caller saw, when an after hook throws and an error hook %s',
      async (_name, hook) => {
        const handler = vi.fn(async () => charged);
        const after = hooked(() => {
          throw new Error('an after hook failed');
        });
        const order = newOrder();
        const behind = [{ onError: hooked(hook) }, { after }] as never;
        const first = described(await outcomeOf(guards.guarded({ middy, handler, behind })(order)));
        await vi.waitFor(async () => {
          const retry = await outcomeOf(guards.guarded({ middy, handler })(order));
          expect(described(retry)).toBe(first);
        });
        expect(handler).toHaveBeenCalledTimes(1);
      },
    );

    it.each(ERROR_HOOKS)('and when the handler threw, errors are stored, and an error hook %s', async (_name, hook) => {
      const handler = vi.fn(async () => {
        throw new Error('declined');
      });
      const options = { settle: () => 'store' as const };
      const order = newOrder();
      const behind = [{ onError: hooked(hook) }, { onError: hooked(hook) }] as never;
      const first = described(await outcomeOf(guards.guarded({ middy, handler, options, behind })(order)));
      await vi.waitFor(async () => {
        const retry = await outcomeOf(guards.guarded({ middy, handler, options })(order));
        expect(described(retry)).toBe(first);
      });
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it.each(['before', 'after'] as const)(
      'a %s hook that answers early and then throws is what it is without a guard',
      async (name) => {
        const hook = hooked((request) => {
          request.earlyResponse = 'early';
          throw new Error('cache layer failed');
        });
        const late = hooked((request) => {
          request.earlyResponse = undefined;
          throw new Error('cache layer failed');
        });
        for (const failing of [hook, late]) {
          const handler = vi.fn(async () => charged);
          const unguarded = await outcomeOf(
            middy()
              .use({ [name]: failing } as { after: () => unknown })
              .handler(handler as never)({}, lambdaContext() as never),
          );
          const order = newOrder();
          const behind = [{ [name]: failing }] as never;
          const guarded = await outcomeOf(guards.guarded({ middy, handler, behind })(order));
          expect(described(guarded)).toBe(described(unguarded));
          if (name === 'after') {
            const retry = await outcomeOf(guards.guarded({ middy, handler: async () => 'executed again' })(order));
            expect(described(retry)).toBe(described(guarded));
          }
        }
      },
    );
  });

  it('stores an early response of a hook behind it, which skips the handler and our hook', async () => {
    const order = newOrder();
    const cached = vi.fn(async () => ({ statusCode: 200, body: 'from a cache' }));
    const call = guards.guarded({ middy, handler: async () => charged, behind: [{ before: cached }] as never });
    expect(await call(order)).toEqual({ statusCode: 200, body: 'from a cache' });
    expect(await call(order)).toEqual({ statusCode: 200, body: 'from a cache' });
    expect(cached).toHaveBeenCalledTimes(1);
  });

  it('keeps the error path as Middy has it: an error hook that ends the chain with undefined leaves the error', async () => {
    const own = new Error('handler failed');
    const swallows = {
      onError: async (request: { earlyResponse?: unknown }) => {
        request.earlyResponse = undefined;
      },
    };
    const call = guards.guarded({
      middy,
      handler: async () => {
        throw own;
      },
      behind: [swallows] as never,
    });
    expect(await thrownBy(call(newOrder()))).toBe(own);
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });
});

describe('I4 a finished effect is never forgotten', () => {
  const charged = { statusCode: 201 };

  it('tries the completion again while time is left, beyond what the SDK does', async () => {
    const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
    let throttles = 3;
    proxy.decide = (request) => (isCompletion(request) && throttles-- > 0 ? 'throttle' : 'pass');
    const handler = vi.fn(async () => charged);
    const call = guards.guarded({ handler, options: { store } });
    const order = newOrder();
    expect(await call(order)).toEqual(charged);
    expect(proxy.seen.filter(isCompletion)).toHaveLength(4);
    expect(await call(order)).toEqual(charged);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("gives the caller the handler's response, keeps the lease and reports it, when the completion stays throttled", async () => {
    const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 2 }) });
    proxy.decide = (request) => (isCompletion(request) ? 'throttle' : 'pass');
    const handler = vi.fn(async () => charged);
    const call = guards.guarded({ handler, options: { store }, clock: systemRuntime });
    const order = newOrder();
    const context = lambdaContext(systemRuntime, { remainingMillis: 1500 });
    expect(await call(order, context)).toEqual(charged);
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0);
    expect(guards.events.at(-1)).toMatchObject({
      type: 'completionFailed',
      attempt: 1,
      error: { code: 'STORE_UNAVAILABLE' },
    });
    const retry = guards.guarded({ handler, clock: systemRuntime })(order);
    expect(await thrownBy(retry)).toMatchObject({ code: 'IN_FLIGHT' });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('answers the caller in time when the completion hangs', async () => {
    const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
    proxy.decide = (request) => (isCompletion(request) ? 'hang' : 'pass');
    const call = guards.guarded({ handler: async () => charged, options: { store }, clock: systemRuntime });
    const context = lambdaContext(systemRuntime, { remainingMillis: 700 });
    expect(await call(newOrder(), context)).toEqual(charged);
    expect(context.getRemainingTimeInMillis()).toBeGreaterThan(0);
    expect(guards.eventTypes()).toEqual(['claimed', 'completionFailed']);
  });

  it.each([
    ['a BigInt', () => ({ amount: 10n })],
    [
      'a cycle',
      () => {
        const cycle: Record<string, unknown> = {};
        cycle['self'] = cycle;
        return cycle;
      },
    ],
    ['17 MB', () => ({ body: 'x'.repeat(17_000_000) })],
    ['a stream', () => new ReadableStream()],
    ['a function', () => () => 'later'],
  ])(
    'completes with a response that cannot be stored (%s): the retry is told, and nothing runs again',
    async (_, make) => {
      const response = make();
      const handler = vi.fn(async () => response);
      const call = guards.guarded({ handler });
      const order = newOrder();
      expect(await call(order)).toEqual(response);
      expect(guards.events.at(-1)).toMatchObject({ type: 'completed', notReplayable: expect.any(String) });
      expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE', statusCode: 409 });
      expect(handler).toHaveBeenCalledTimes(1);
    },
  );

  it('completes although the reason why it cannot be stored is itself too long', async () => {
    const handler = vi.fn(async () => ({
      toJSON: () => {
        throw new Error('x'.repeat(500_000));
      },
    }));
    const call = guards.guarded({ handler });
    const order = newOrder();
    await call(order);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('tries again, and keeps the response, when the store refuses for a reason that may pass', async () => {
    const { store } = guards;
    const expired = Object.assign(new Error('expired'), { name: 'ExpiredTokenException' });
    let failures = 2;
    const { unavailable } = await import('../../src/stores/dynamodb/failure.ts');
    const flaky: typeof store = {
      ...store,
      replace: async (record, expected) => {
        if (failures-- > 0) throw unavailable(expired, 'table');
        return store.replace(record, expected);
      },
    };
    const handler = vi.fn(async () => charged);
    const call = guards.guarded({ handler, options: { store: flaky } });
    const order = newOrder();
    await call(order);
    expect(await call(order)).toEqual(charged);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('amends an outcome that was written although its answer never came', async () => {
    const { store } = guards;
    const answered = vi.fn(store.replace).mockImplementationOnce(async (record, expected) => {
      await store.replace(record, expected);
      // No time is left to try again.
      guards.clock.advance(40_000);
      throw new Error('the answer was lost');
    });
    const response = { statusCode: 500, body: 'sorry' };
    const behind = [
      {
        onError: async (request: { response: unknown }) => {
          request.response = response;
        },
      },
      {
        after: async () => {
          throw new Error('an after hook failed');
        },
      },
    ] as never;
    const handler = vi.fn(async () => charged);
    const order = newOrder();
    const options = { store: { ...store, replace: answered } };
    expect(await guards.guarded({ handler, behind, options })(order)).toEqual(response);
    expect(await guards.guarded({ handler })(order)).toEqual(response);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('completes without the response when the store refuses the record for its size', async () => {
    // The name of an attribute counts, too: with this one the item exceeds 400 KB.
    const store = dynamoDBStore({ ...guards.table, attributes: { outcome: 'r'.repeat(20_000) } });
    const handler = vi.fn(async () => incompressible(385 * 1024).toString('base64'));
    const call = guards.guarded({ handler, options: { store } });
    const order = newOrder();
    await call(order);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('stores when the settle policy itself fails after the handler returned', async () => {
    const handler = vi.fn(async () => charged);
    const options = {
      settle: () => {
        throw new Error('a bug in the policy');
      },
    };
    const call = guards.guarded({ handler, options });
    const order = newOrder();
    expect(await call(order)).toEqual(charged);
    expect(guards.eventTypes()).toEqual(['claimed', 'settlePolicyFailed', 'completed']);
    expect(await call(order)).toEqual(charged);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('holds when the settle policy answers nonsense about an error', async () => {
    const handler = vi.fn(async () => {
      throw new Error('failed');
    });
    const call = guards.guarded({ handler, options: { settle: () => undefined as never } });
    const order = newOrder();
    await expect(call(order)).rejects.toThrow('failed');
    expect(guards.eventTypes()).toEqual(['claimed', 'settlePolicyFailed', 'held']);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
  });

  it('remembers the work of a handler that ran longer than the retention', async () => {
    const handler = vi.fn(async () => {
      guards.clock.advance(20_000);
      return charged;
    });
    const call = guards.guarded({ handler, options: { retentionSeconds: 1 } });
    const order = newOrder();
    expect(await call(order)).toEqual(charged);
    expect(await call(order)).toEqual(charged);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe.each(MIDDY_VERSIONS)('I4 whatever the handler does, with %s', (_, middy) => {
  it.each([
    ['an object', { code: 1 }],
    ['nothing', undefined],
    ['a number', 7],
  ])(
    'a response that cannot be serialised, whose error has %s for a message, is stored as done',
    async (_n, message) => {
      const handler = vi.fn(async () => ({
        toJSON() {
          throw Object.assign(new Error(), { message });
        },
      }));
      const call = guards.guarded({ middy, handler });
      const order = newOrder();
      await call(order);
      expect(guards.events.at(-1)).toMatchObject({
        type: 'completed',
        notReplayable: 'it cannot be written as JSON',
      });
      guards.clock.advance(31_000);
      expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
      expect(handler).toHaveBeenCalledTimes(1);
    },
  );

  it('a completion that the handler did not wait for is not replaced by an error page, nor by the error', async () => {
    const errorPages = {
      onError: async (request: { response: unknown }) => {
        request.response = 'error page';
      },
    };
    for (const behind of [[errorPages], []]) {
      const order = newOrder();
      const call = guards.guarded({
        middy,
        handler: async (_order, { idempotency }) => {
          void idempotency.complete('paid');
          throw new Error('after the payment');
        },
        behind: behind as never,
        options: { settle: () => 'store' },
      });
      await call(order).catch(() => undefined);
      expect(await call(order)).toBe('paid');
    }
  });
});

describe('I4 and two guards of one chain', () => {
  it('a refusal by the inner one is no outcome for the outer one, whatever its policy', async () => {
    const down = { ...guards.store, insert: () => Promise.reject(new Error('down')) };
    const handler = vi.fn(async () => charged);
    const call = (store: object) =>
      guards.guarded({
        handler,
        options: { settle: () => 'store' },
        behind: [guards.middleware({ operation: 'inner', store })] as never,
      });
    const order = newOrder();
    expect(await thrownBy(call(down)(order))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await call(guards.store)(order)).toEqual(charged);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('a refusal that the handler hands on from elsewhere is its own outcome', async () => {
    const inner = guards.guarded({ handler: async () => charged, options: { operation: 'inner' } });
    const refusedInside = vi.fn(async () => inner({ id: null }));
    const call = guards.guarded({ handler: refusedInside, options: { settle: () => 'store' } });
    const order = newOrder();
    expect(await thrownBy(call(order))).toMatchObject({ code: 'KEY_MISSING' });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'KEY_MISSING' });
    expect(refusedInside).toHaveBeenCalledTimes(1);
  });
});

const charged = { statusCode: 201, body: 'charged' };
