import { runInNewContext } from 'node:vm';
import type { IdempotencyHandle, RecordStore } from 'middy-idempotency';
import { describe, expect, it, vi } from 'vitest';
import { deferred, lambdaContext, MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

const REMAINING_MILLIS = 30_000;
/** What Middy takes where it is told nothing. */
const DEFAULT_EARLY_MILLIS = 5;

/**
 * Lets the time pass until Middy gives the handler up. A handler does that before its first `await`: Middy sets its
 * timer after that, by the clock of the invocation, so that it fires at once, however busy the machine is.
 */
function passUntil(timeoutEarlyInMillis: number): void {
  guards.clock.advance(REMAINING_MILLIS - timeoutEarlyInMillis);
}

describe.each(MIDDY_VERSIONS)('I7 a timeout is not a failure, with %s', (_, middy) => {
  /** Calls with a handler that goes on after Middy's early timeout. */
  async function timesOut(
    plugin: { readonly timeoutEarlyInMillis?: number; readonly timeoutEarlyResponse?: () => unknown },
    options: object = {},
    behind: object[] = [],
  ) {
    const order = newOrder();
    const gate = deferred();
    const goesOn = vi.fn(async () => {
      passUntil(plugin.timeoutEarlyInMillis ?? DEFAULT_EARLY_MILLIS);
      await gate.promise;
      return 'finished after all';
    });
    const context = lambdaContext(guards.clock, { remainingMillis: REMAINING_MILLIS });
    const setup = { middy, options, plugin: plugin as never, behind: behind as never };
    const first = guards.guarded({ ...setup, handler: goesOn })(order, context);
    const answer = await first.then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    );
    const held = await guards.store.read(guards.events[0]?.id ?? '');
    gate.resolve();
    await goesOn.mock.results[0]?.value;
    const retried = vi.fn(async () => 'executed again');
    const retry = await thrownBy(guards.guarded({ ...setup, behind: [], handler: retried })(order));
    return { answer, held, retry, after: await guards.store.read(guards.events[0]?.id ?? ''), retried };
  }

  const holds = ({ held, after, retry, retried }: Awaited<ReturnType<typeof timesOut>>) => {
    expect(held).toMatchObject({ status: 'IN_PROGRESS' });
    expect(after).toEqual(held);
    expect(retry).toMatchObject({ code: 'IN_FLIGHT' });
    expect(retried).not.toHaveBeenCalled();
    expect(guards.events[1]).toMatchObject({ type: 'held', reason: 'timeout' });
  };

  it("holds the record at Middy's early timeout, also when the handler goes on and returns", async () => {
    const result = await timesOut({ timeoutEarlyInMillis: 300 });
    expect(result.answer).toMatchObject({ error: { name: 'TimeoutError' } });
    holds(result);
  });

  it('holds it when an error handler makes a response of the timeout', async () => {
    const handlesErrors = {
      onError: async (request: { response: unknown }) => {
        request.response = { statusCode: 504 };
      },
    };
    const result = await timesOut({ timeoutEarlyInMillis: 300 }, {}, [handlesErrors]);
    expect(result.answer).toEqual({ value: { statusCode: 504 } });
    holds(result);
  });

  it('holds it even when every thrown error is to be stored', async () => {
    holds(await timesOut({ timeoutEarlyInMillis: 300 }, { settle: () => 'store' }));
  });

  const timeoutEarlyResponse = () => ({ statusCode: 504 });

  it('never stores what timeoutEarlyResponse answers', async () => {
    const result = await timesOut({ timeoutEarlyInMillis: 300, timeoutEarlyResponse }, { timeoutEarlyInMillis: 300 });
    expect(result.answer).toEqual({ value: { statusCode: 504 } });
    holds(result);
  });

  it('never stores it with the default time either, which nobody has to repeat', async () => {
    const result = await timesOut({ timeoutEarlyResponse });
    expect(result.answer).toEqual({ value: { statusCode: 504 } });
    expect(result.held).toMatchObject({ status: 'IN_PROGRESS' });
    expect(guards.events[1]).toMatchObject({ type: 'held', reason: 'timeout' });
  });

  it('never stores what timeoutEarlyResponse throws', async () => {
    const failing = () => {
      throw new Error('too late');
    };
    const plugin = { timeoutEarlyInMillis: 300, timeoutEarlyResponse: failing };
    const result = await timesOut(plugin, { timeoutEarlyInMillis: 300, settle: () => 'store' });
    expect(result.answer).toMatchObject({ error: { message: 'too late' } });
    holds(result);
  });

  it('never stores it when a hook behind it throws or ends the chain', async () => {
    const options = { timeoutEarlyInMillis: 300 };
    const plugin = { timeoutEarlyInMillis: 300, timeoutEarlyResponse };
    holds(await timesOut(plugin, options, [{ after: async () => ({ statusCode: 599 }) }]));
    guards.events.length = 0;
    const throws = {
      after: async () => {
        throw new Error('hook');
      },
    };
    holds(await timesOut(plugin, options, [throws]));
  });

  it('holds when the handler ends with the AbortError of the signal, before Middy has thrown', async () => {
    const order = newOrder();
    const context = lambdaContext(guards.clock, { remainingMillis: REMAINING_MILLIS });
    const handler = async (_: unknown, __: unknown, { signal }: { signal: AbortSignal }) => {
      const aborted = new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      passUntil(200);
      await aborted;
    };
    const plugin = { timeoutEarlyInMillis: 200 };
    const options = { timeoutEarlyInMillis: 200 };
    const call = guards.guarded({ middy, plugin, options, handler: handler as never });
    expect(await thrownBy(call(order, context))).toBeInstanceOf(Error);
    expect(guards.eventTypes()).toEqual(['claimed', 'held']);
  });

  it.each([
    ['a wrapped one', () => new Error('charge failed', { cause: new DOMException('aborted', 'AbortError') })],
    ["axios's", () => Object.assign(new Error('canceled'), { name: 'CanceledError', code: 'ERR_CANCELED' })],
    ['one of several', () => new AggregateError([new Error('no'), new DOMException('aborted', 'AbortError')])],
    ['of another realm', () => runInNewContext("Object.assign(new Error('aborted'), { name: 'AbortError' })")],
  ])('is not what an abort of the handler itself means, which is released as any error: %s', async (_name, aborted) => {
    const handler = async () => {
      throw aborted();
    };
    await thrownBy(guards.guarded({ middy, handler })(newOrder()));
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });

  it('holds although a hook in front of the handler had written a response', async () => {
    const presets = {
      before: async (request: { response: unknown }) => {
        request.response = { statusCode: 200 };
      },
    };
    const result = await timesOut({ timeoutEarlyInMillis: 300 }, {}, [presets]);
    expect(result.answer).toMatchObject({ error: { name: 'TimeoutError' } });
    holds(result);
  });

  /** A store whose claims take as long as the clock is told to. */
  const slowStore = (millis: number): RecordStore => ({
    ...guards.store,
    insert: async (record) => {
      const answer = await guards.store.insert(record);
      guards.clock.advance(millis);
      return answer;
    },
  });

  it('starts no handler that Middy would give up at once, because the claim took the time', async () => {
    const handler = vi.fn(async () => 'done');
    const options = { timeoutEarlyInMillis: 3000, store: slowStore(3500) };
    const call = guards.guarded({ middy, handler, options, plugin: { timeoutEarlyInMillis: 3000 } });
    const context = lambdaContext(guards.clock, { remainingMillis: 6000 });
    const order = newOrder();
    expect(await thrownBy(call(order, context))).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(handler).not.toHaveBeenCalled();
    expect(await guards.guarded({ middy, handler })(order)).toBe('done');
  });

  it.each([
    ['answers', () => ({ statusCode: 504 })],
    [
      'throws',
      () => {
        throw new Error('too late');
      },
    ],
  ])('recognises a timeout that %s although the claim was slow', async (_name, timeoutEarlyResponse) => {
    const gate = deferred();
    const options = { timeoutEarlyInMillis: 3000, store: slowStore(2900) };
    const plugin = { timeoutEarlyInMillis: 3000, timeoutEarlyResponse };
    const handler = async () => {
      guards.clock.advance(100);
      await gate.promise;
    };
    const call = guards.guarded({ middy, handler, options, plugin: plugin as never });
    await call(newOrder(), lambdaContext(guards.clock, { remainingMillis: 6000 })).catch(() => undefined);
    expect(guards.eventTypes()).toEqual(['claimed', 'held']);
    gate.resolve();
  });

  it("takes a TimeoutError of the handler's own for what it is: a failure", async () => {
    const own = Object.assign(new Error('the bank did not answer'), { name: 'TimeoutError' });
    const handler = vi.fn(async (): Promise<string> => 'second').mockRejectedValueOnce(own);
    const call = guards.guarded({ middy, handler });
    const order = newOrder();
    expect(await thrownBy(call(order))).toBe(own);
    expect(await call(order)).toBe('second');
  });
});

describe.each(MIDDY_VERSIONS)('I7 a handler that goes on after its timeout, with %s', (_, middy) => {
  /** As Lambda does it: the environment is frozen when Middy has answered, and thawed for another invocation, perhaps much later. */
  it('cannot extend its lease, and is stopped before the next effect, whether anybody has taken over or not', async () => {
    const order = newOrder();
    const thawed = deferred();
    const effect = vi.fn();
    const woken = deferred<unknown>();
    const handler = vi.fn(async (_event: unknown, { idempotency }: { idempotency: IdempotencyHandle }) => {
      passUntil(DEFAULT_EARLY_MILLIS);
      await thawed.promise;
      woken.resolve(await thrownBy(idempotency.extend(10_000).then(effect)));
    });
    const context = lambdaContext(guards.clock, { remainingMillis: REMAINING_MILLIS });
    expect(await thrownBy(guards.guarded({ middy, handler })(order, context))).toMatchObject({ name: 'TimeoutError' });
    guards.clock.advance(2000);
    expect(await guards.guarded({ middy, handler: async () => 'second' })(order)).toBe('second');
    thawed.resolve();
    expect(await woken.promise).toMatchObject({ code: 'LEASE_LOST' });
    expect(effect).not.toHaveBeenCalled();
  });
});

describe('I7 a timeout is not a failure', () => {
  it('lets a retry take over once the lease has run out', async () => {
    const { clock } = guards;
    const order = newOrder();
    const timeoutError = Object.assign(new Error('[AbortError]: The operation was aborted.'), {
      name: 'TimeoutError',
      cause: { package: '@middy/core' },
    });
    const call = (handler: () => Promise<unknown>) => guards.guarded({ handler })(order);
    expect(await thrownBy(call(() => Promise.reject(timeoutError)))).toBe(timeoutError);
    expect(await thrownBy(call(async () => 'second'))).toMatchObject({ code: 'IN_FLIGHT' });
    clock.advance(31_000);
    expect(await call(async () => 'second')).toBe('second');
  });
});
