import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { MIDDY_VERSIONS, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';
import { localClient } from '../support/table.ts';

const guards = useGuards();
const proxy = useFaultProxy();

const failingStore = () => {
  proxy.decide = ({ body }) => (body.includes('attribute_not_exists') ? 'pass' : 'throttle');
  return dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
};

const THROWN = [
  ['an Error', new Error('own')],
  ['a string', 'own'],
  ['undefined', undefined],
  ['null', null],
  ['an object', { code: 'own' }],
  ['a frozen object', Object.freeze({ code: 'own' })],
  ['a symbol', Symbol('own')],
] as const;

describe.each(MIDDY_VERSIONS)('I12 the original error survives, with %s', (_, middy) => {
  const rejecting = (thrown: unknown) => async () => {
    throw thrown;
  };

  it.each(THROWN)('when the store fails to release: %s', async (_name, thrown) => {
    const call = guards.guarded({ middy, handler: rejecting(thrown), options: { store: failingStore() } });
    const caught = await call(newOrder()).then(
      () => 'returned',
      (error: unknown) => ({ error }),
    );
    expect(caught).toEqual({ error: thrown });
    expect(guards.eventTypes()).toEqual(['claimed', 'releaseFailed']);
  });

  it('when the store fails to store it, also while the time for it runs out', async () => {
    const own = new Error('own');
    const options = { store: failingStore(), settle: () => 'store' as const };
    const call = guards.guarded({ middy, handler: rejecting(own), options });
    const running = thrownBy(call(newOrder()));
    // The fake clock stands still; the lease is over when it is told so.
    await vi.waitFor(() => expect(guards.eventTypes()).toContain('claimed'), { timeout: 10_000 });
    guards.clock.advance(40_000);
    expect(await running).toBe(own);
    expect(guards.eventTypes()).toContain('completionFailed');
  });
});

describe('I12 the original error survives', () => {
  it.each(THROWN)('of a guarded function, when the store fails to release: %s', async (_, thrown) => {
    const fail = guards.idempotent(
      async (_order: Order) => {
        throw thrown;
      },
      { store: failingStore() },
    );
    const caught = await fail(newOrder()).then(
      () => 'returned',
      (error: unknown) => ({ error }),
    );
    expect(caught).toEqual({ error: thrown });
  });

  it.each(THROWN)('of a guarded function, when a retry gets it: %s', async (_, thrown) => {
    const fail = guards.idempotent(
      async (_order: Order) => {
        throw thrown;
      },
      { settle: () => 'store' },
    );
    const order = newOrder();
    await fail(order).catch(() => undefined);
    const replayed = await fail(order).then(
      () => 'returned',
      (error: unknown) => error,
    );
    if (thrown instanceof Error) expect(replayed).toMatchObject({ name: 'Error', message: 'own' });
    else if (typeof thrown === 'symbol') expect(replayed).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
    else expect(replayed).toEqual(JSON.parse(JSON.stringify({ thrown }) ?? '{}').thrown);
  });
});

describe.each(MIDDY_VERSIONS)('I12 an error that throws when it is looked at survives, with %s', (_, middy) => {
  const throwing = (name: string) =>
    Object.defineProperty(new Error('declined'), name, {
      get() {
        throw new Error('a getter');
      },
    });
  const revoked = () => {
    const { proxy: error, revoke } = Proxy.revocable(new Error('declined'), {});
    revoke();
    return error;
  };

  it.each([
    ['cause', () => throwing('cause')],
    ['name', () => throwing('name')],
    ['statusCode', () => throwing('statusCode')],
    ['message', () => throwing('message')],
    ['anything', revoked],
  ])('by its %s, and it is settled as another one is', async (_name, make) => {
    const error = make();
    const seen: unknown[] = [];
    const watches = { onError: async (request: { error: unknown }) => void seen.push(request.error) };
    const handler = async () => {
      throw error;
    };
    for (const settle of ['release', 'store'] as const) {
      guards.events.length = 0;
      const options = { settle: () => settle };
      const call = guards.guarded({ middy, handler, behind: [watches] as never, options });
      const caught = await call(newOrder()).then(
        () => 'returned',
        (thrown: unknown) => thrown === error,
      );
      expect(caught).toBe(true);
      expect(guards.eventTypes()).toEqual(['claimed', settle === 'store' ? 'completed' : 'released']);
    }
    expect(seen.length).toBe(2);
  });
});
