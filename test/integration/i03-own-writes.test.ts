import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { type DynamoDBRequest, useFaultProxy } from '../support/fault-proxy.ts';
import { crashing, deferred, newOrder, type Order, useGuards } from '../support/harness.ts';
import { localClient } from '../support/table.ts';

const guards = useGuards();
const proxy = useFaultProxy();

const throughProxy = (maxAttempts = 3) =>
  dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts }) });

/** Loses the answer to the first request that matches; the SDK sends it again. */
function loseFirst(matches: (request: DynamoDBRequest) => boolean) {
  let lost = false;
  proxy.decide = (request) => {
    if (lost || !matches(request)) return 'pass';
    lost = true;
    return 'lose answer';
  };
}

const isClaim = ({ body }: DynamoDBRequest) => body.includes('attribute_not_exists');
const isCompletion = ({ body }: DynamoDBRequest) => body.includes('COMPLETED');
const isTakeover = ({ body }: DynamoDBRequest) => body.includes('#leaseUntil = :leaseUntil');

/** Takes over a record that was released. */
const isReclaim = ({ operation, body }: DynamoDBRequest) =>
  operation === 'PutItem' && body.includes('"IN_PROGRESS"') && body.includes('"RELEASED"');

describe('I3 own writes are recognised', () => {
  it('executes once when the claim was applied, its answer lost, and the SDK sent it again', async () => {
    loseFirst(isClaim);
    const handler = vi.fn(async () => 'done');
    const call = guards.guarded({ handler, options: { store: throughProxy() } });
    const order = newOrder();
    expect(await call(order)).toBe('done');
    expect(proxy.seen.filter(isClaim)).toHaveLength(2);
    expect(await call(order)).toBe('done');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('executes once when that happens to a takeover', async () => {
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    guards.clock.advance(31_000);

    loseFirst(isTakeover);
    const call = guards.guarded({
      handler: async (_, { idempotency }) => idempotency.attempt,
      options: { store: throughProxy() },
    });
    expect(await call(order)).toBe(2);
    expect(proxy.seen.filter(isTakeover)).toHaveLength(2);
  });

  it('gives the result of a step to an attempt whose takeover was applied, and its answer lost', async () => {
    const order = newOrder();
    const receipt = 'r'.repeat(5000);
    const print = vi.fn(async () => receipt);
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        const printed = await idempotency.step('print', print);
        if (idempotency.attempt === 1) throw new Error('the mail could not be sent');
        return printed;
      },
      options: { store: throughProxy() },
    });
    await expect(call(order)).rejects.toThrow('the mail could not be sent');
    guards.events.length = 0;
    loseFirst(isReclaim);
    expect(await call(order)).toBe(receipt);
    expect(print).toHaveBeenCalledTimes(1);
    expect(guards.eventTypes()).toEqual(['takenOver', 'stepSkipped', 'completed']);
    expect(guards.events[0]).toMatchObject({ reason: 'released' });
  });

  it('returns the response when the completion was applied, its answer lost, and the SDK sent it again', async () => {
    loseFirst(isCompletion);
    const handler = vi.fn(async () => 'done');
    const call = guards.guarded({ handler, options: { store: throughProxy() } });
    const order = newOrder();
    guards.events.length = 0;
    expect(await call(order)).toBe('done');
    expect(proxy.seen.filter(isCompletion)).toHaveLength(2);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed']);
    expect(await call(order)).toBe('done');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('recognises a completion that the guard itself sends again, after the SDK has given up', async () => {
    loseFirst(isCompletion);
    const call = guards.guarded({ handler: async () => 'done', options: { store: throughProxy(1) } });
    guards.events.length = 0;
    expect(await call(newOrder())).toBe('done');
    expect(proxy.seen.filter(isCompletion)).toHaveLength(2);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed']);
  });

  it('counts a release whose answer was lost as released, and lets the retry execute', async () => {
    loseFirst(({ operation }) => operation === 'DeleteItem');
    const handler = vi.fn(async (): Promise<string> => 'second').mockRejectedValueOnce(new Error('first'));
    const call = guards.guarded({ handler, options: { store: throughProxy() } });
    const order = newOrder();
    guards.events.length = 0;
    await expect(call(order)).rejects.toThrow('first');
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
    expect(await call(order)).toBe('second');
  });

  it('takes a claim back whose answer was lost for good: nothing was executed, so a retry may run at once', async () => {
    loseFirst(isClaim);
    const handler = vi.fn(async (_order: Order) => 'done');
    const call = guards.guarded({ handler: handler as never, options: { store: throughProxy(1) } });
    const order = newOrder();
    await expect(call(order)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(handler).not.toHaveBeenCalled();
    expect(await call(order)).toBe('done');
  });
});
