import { describe, expect, it, vi } from 'vitest';
import { crashing, deferred, newOrder, TestClock, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

describe('I11 expiry is decided here', () => {
  it('a record past its retention counts as absent: one of 20 claims at once executes', async () => {
    const order = newOrder();
    const options = { retentionSeconds: 60, fingerprint: 'amount' } as const;
    await guards.guarded({ handler: async () => 'old', options })(order);
    guards.clock.advance(60_000);
    const handler = vi.fn(async () => 'new');
    const call = guards.guarded({ handler, options });
    // Another payload, too: the old request is forgotten.
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => call({ ...order, amount: 11 })));
    expect(handler).toHaveBeenCalledTimes(1);
    const values = answers.filter((answer) => answer.status === 'fulfilled').map(({ value }) => value);
    expect(values.length).toBeGreaterThan(0);
    expect(new Set(values)).toEqual(new Set(['new']));
  });

  it('is replayed until the very end of its retention', async () => {
    const order = newOrder();
    const options = { retentionSeconds: 60 };
    const handler = vi.fn(async () => 'done');
    const call = guards.guarded({ handler, options });
    await call(order);
    guards.clock.advance(59_999);
    await call(order);
    expect(handler).toHaveBeenCalledTimes(1);
    guards.clock.advance(1);
    await call(order);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it('is kept for the retention from its completion on, not from its claim', async () => {
    const order = newOrder();
    const handler = vi.fn(async () => {
      guards.clock.advance(20_000);
      return 'done';
    });
    const call = guards.guarded({ handler, options: { retentionSeconds: 60 } });
    await call(order);
    guards.clock.advance(59_000);
    await call(order);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([1, 30, 86_400])(
    'never lets the TTL attribute end before the lease, with a retention of %s s',
    async (seconds) => {
      const { clock, store } = guards;
      const started = deferred<{ id: string; leaseUntil: number }>();
      void guards.guarded({
        handler: crashing(({ idempotency }) => started.resolve(idempotency)),
        options: { retentionSeconds: seconds },
      })(newOrder());
      const { id, leaseUntil } = await started.promise;
      const record = await store.read(id);
      expect(record?.expiration).toBe(Math.ceil(Math.max(leaseUntil + 1000, clock.now() + seconds * 1000) / 1000));
      expect(Number.isInteger(record?.expiration)).toBe(true);
    },
  );

  it('moves the TTL attribute with an extended lease', async () => {
    const { clock, store } = guards;
    const call = guards.guarded({
      handler: async (_, { idempotency }) => {
        await idempotency.extend(600_000);
        return { record: await store.read(idempotency.id), leaseUntil: idempotency.leaseUntil };
      },
      options: { retentionSeconds: 1 },
    });
    const until = clock.now() + 600_000;
    expect(await call(newOrder())).toMatchObject({
      leaseUntil: until,
      record: { leaseUntil: until, expiration: (until + 1000) / 1000 },
    });
  });

  it.each([
    ['ahead', 1000],
    ['behind', -1000],
  ])('keeps one owner when the clock of another host is a second %s', async (_, skew) => {
    const other = new TestClock();
    other.advance(guards.clock.now() - other.now() + skew);
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    const handler = vi.fn(async () => 'second');
    const call = guards.guarded({ handler, clock: other });
    // One millisecond before the end of the lease on the owner's clock.
    other.advance(29_999);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
    expect(handler).not.toHaveBeenCalled();
    other.advance(2002);
    expect(await call(order)).toBe('second');
    guards.clock.advance(100_000);
  });

  it('takes the tolerance that it is given', async () => {
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    guards.clock.advance(34_999);
    const call = guards.guarded({ handler: async () => 'second', options: { clockSkewMillis: 5000 } });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT', retryAfterMillis: 1 });
    guards.clock.advance(1);
    expect(await call(order)).toBe('second');
  });
});
