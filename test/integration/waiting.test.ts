import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { systemRuntime } from '../../src/runtime.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { deferred, MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';
import { useApi } from '../support/http-harness.ts';
import { localClient } from '../support/table.ts';

const guards = useGuards();
const proxy = useFaultProxy();

const waits = { onInFlight: { waitMillis: 20_000 } };

describe.each(MIDDY_VERSIONS)('a duplicate that waits, with %s', (_, middy) => {
  /** A first execution that runs until it is told to end, and `count` duplicates that have begun to wait. */
  async function duplicates(count: number, options: object = waits) {
    const order = newOrder();
    const started = deferred();
    const gate = deferred<() => unknown>();
    const handler = vi.fn(async (): Promise<unknown> => {
      started.resolve();
      return (await gate.promise)();
    });
    const call = guards.guarded({ middy, handler, options, clock: systemRuntime });
    const first = call(order);
    await started.promise;
    const others = Array.from({ length: count }, () => call(order).catch((error: unknown) => error));
    await vi.waitFor(() => expect(guards.eventTypes().filter((type) => type === 'waiting')).toHaveLength(count), {
      timeout: 10_000,
    });
    return { first, others, end: gate.resolve, handler };
  }

  it('gets the outcome of the other one: ten callers, one execution, ten answers', async () => {
    const { first, others, end, handler } = await duplicates(9);
    end(() => ({ statusCode: 201, body: 'paid' }));
    const answers = await Promise.all([first, ...others]);
    expect(answers).toEqual(Array.from({ length: 10 }, () => ({ statusCode: 201, body: 'paid' })));
    expect(new Set(answers).size).toBe(10);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(guards.eventTypes().filter((type) => type === 'replayed')).toHaveLength(9);
  });

  it('takes over when the other one fails and lets go: one of them, and the rest get its outcome', async () => {
    const { first, others, end, handler } = await duplicates(4);
    end(
      vi
        .fn(() => 'second')
        .mockImplementationOnce(() => {
          throw new Error('first failed');
        }),
    );
    expect(await thrownBy(first)).toMatchObject({ message: 'first failed' });
    expect(await Promise.all(others)).toEqual(['second', 'second', 'second', 'second']);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('is told IN_FLIGHT at the end of its time, and has changed nothing', async () => {
    const { first, others, end } = await duplicates(1, { onInFlight: { waitMillis: 300 } });
    expect(await Promise.all(others)).toEqual([expect.objectContaining({ code: 'IN_FLIGHT' })]);
    end(() => 'done');
    expect(await first).toBe('done');
  });
});

it('waits by reading only: the claim, then reads, and nothing where nobody executes', async () => {
  const store = dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint }) });
  const started = deferred();
  const gate = deferred();
  const order = newOrder();
  const handler = async () => {
    started.resolve();
    await gate.promise;
    return 'done';
  };
  const first = guards.guarded({ handler, clock: systemRuntime })(order);
  await started.promise;
  const waiter = guards.guarded({ handler, options: { ...waits, store }, clock: systemRuntime });
  const second = waiter(order);
  await vi.waitFor(() => expect(proxy.seen.length).toBeGreaterThan(2), { timeout: 10_000 });
  gate.resolve();
  expect([await first, await second]).toEqual(['done', 'done']);
  const [claim, ...looks] = proxy.seen.splice(0).map(({ operation }) => operation);
  expect(claim).toBe('PutItem');
  expect(new Set(looks)).toEqual(new Set(['GetItem']));
  await waiter(newOrder());
  expect(proxy.seen).toHaveLength(2);
});

describe('in an HTTP API', () => {
  const api = useApi();

  it('the waiting duplicate gets the replay, marked as one', async () => {
    const started = deferred();
    const gate = deferred();
    const handler = async () => {
      started.resolve();
      await gate.promise;
      return { statusCode: 201, body: 'paid' };
    };
    const send = api.api({ handler, options: waits });
    const request = { headers: [['idempotency-key', 'one']], body: '{}' } as const;
    const first = send(request);
    await started.promise;
    const second = send(request);
    await vi.waitFor(() => expect(api.eventTypes()).toContain('waiting'), { timeout: 10_000 });
    gate.resolve();
    expect((await first).headers).toEqual({});
    expect(await second).toEqual({ statusCode: 201, headers: { 'idempotent-replayed': 'true' }, body: 'paid' });
  });
});
