import { beforeEach, describe, expect, it, vi } from 'vitest';
import { crashing, deferred, MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

const recordId = () => guards.events[0]?.id ?? '';

describe.each(MIDDY_VERSIONS)('I5 losers change nothing, with %s', (_, middy) => {
  const handler = vi.fn(async () => 'executed again');
  beforeEach(() => handler.mockClear());

  it('a rejected duplicate leaves the lock: a third call does not run either', async () => {
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ middy, handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    const before = await guards.store.read(recordId());
    const call = guards.guarded({ middy, handler });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
    expect(handler).not.toHaveBeenCalled();
    expect(await guards.store.read(recordId())).toEqual(before);
  });

  const options = { fingerprint: 'amount' } as const;

  it('a mismatch leaves the completed record: the original request is still replayed', async () => {
    const order = newOrder();
    await guards.guarded({ middy, handler: async () => 'first', options })(order);
    const before = await guards.store.read(recordId());
    const call = guards.guarded({ middy, handler, options });
    expect(await thrownBy(call({ ...order, amount: 99 }))).toMatchObject({ code: 'KEY_REUSED', statusCode: 422 });
    expect(await guards.store.read(recordId())).toEqual(before);
    expect(await call(order)).toBe('first');
    expect(handler).not.toHaveBeenCalled();
  });

  it('a mismatch while the first is running leaves the lock', async () => {
    const order = newOrder();
    const started = deferred();
    void guards.guarded({ middy, options, handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    const before = await guards.store.read(recordId());
    const call = guards.guarded({ middy, handler, options });
    expect(await thrownBy(call({ ...order, amount: 99 }))).toMatchObject({ code: 'KEY_REUSED' });
    expect(await guards.store.read(recordId())).toEqual(before);
    expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
  });

  it('a replay leaves the record', async () => {
    const order = newOrder();
    await guards.guarded({ middy, handler: async () => 'first' })(order);
    const before = await guards.store.read(recordId());
    guards.clock.advance(1000);
    await guards.guarded({ middy, handler })(order);
    expect(await guards.store.read(recordId())).toEqual(before);
  });

  it('a replayed error leaves the record', async () => {
    const order = newOrder();
    const settle = () => 'store' as const;
    const fails = async () => {
      throw new Error('declined');
    };
    await thrownBy(guards.guarded({ middy, handler: fails, options: { settle } })(order));
    const before = await guards.store.read(recordId());
    await expect(guards.guarded({ middy, handler, options: { settle } })(order)).rejects.toThrow('declined');
    expect(await guards.store.read(recordId())).toEqual(before);
    expect(handler).not.toHaveBeenCalled();
  });

  it('a request without a key writes nothing and runs nothing', async () => {
    expect(await thrownBy(guards.guarded({ middy, handler })({}))).toMatchObject({ code: 'KEY_MISSING' });
    expect(handler).not.toHaveBeenCalled();
    expect(guards.events).toMatchObject([{ type: 'refused', id: '', error: { code: 'KEY_MISSING' } }]);
  });

  it('an unknown outcome leaves the record for whoever looks into it', async () => {
    const order = newOrder();
    const started = deferred();
    const once = { onExpiredLease: 'throw' } as const;
    void guards.guarded({ middy, options: once, handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    guards.clock.advance(31_001);
    const before = await guards.store.read(recordId());
    const call = guards.guarded({ middy, handler, options: once });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'OUTCOME_UNKNOWN', statusCode: 409 });
    expect(await guards.store.read(recordId())).toEqual(before);
    expect(handler).not.toHaveBeenCalled();
  });

  it('an unknown outcome outlives the retention: at most once, until somebody has looked', async () => {
    const order = newOrder();
    const started = deferred();
    const once = { onExpiredLease: 'throw', retentionSeconds: 5 } as const;
    void guards.guarded({ middy, options: once, handler: crashing(() => started.resolve()) })(order);
    await started.promise;
    guards.clock.advance(400 * 86_400_000);
    const call = guards.guarded({ middy, handler, options: once });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
    const record = await guards.store.read(recordId());
    expect((record?.expiration ?? 0) * 1000).toBeGreaterThan(guards.clock.now());
    expect(handler).not.toHaveBeenCalled();
  });
});
