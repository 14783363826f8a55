import { IdempotencyError, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import {
  crashing,
  deferred,
  lambdaContext,
  newOrder,
  type Order,
  thrownBy,
  useGuards,
  VirtualClock,
} from '../../support/harness.ts';

const guards = useGuards(() => memoryStore());

/** Somebody who executes and never ends; then somebody else, on a virtual clock, who waits. */
async function waiting(
  waitMillis: number,
  setup: { remainingMillis?: number; store?: (real: RecordStore) => RecordStore } = {},
) {
  const clock = new VirtualClock();
  const order = newOrder();
  const started = deferred();
  void guards.guarded({ handler: crashing(() => started.resolve()), clock })(
    order,
    lambdaContext(clock, { remainingMillis: 60_000 }),
  );
  await started.promise;
  const begun = clock.now();
  const reads: number[] = [];
  const store: RecordStore = {
    ...guards.store,
    read: (id) => {
      reads.push(clock.now() - begun);
      return guards.store.read(id);
    },
  };
  const call = guards.guarded({
    handler: async (_, { idempotency }) => ({
      waited: clock.now() - begun,
      lease: idempotency.leaseUntil - clock.now(),
    }),
    options: { onInFlight: { waitMillis }, store: setup.store?.(store) ?? store },
    clock,
  });
  const context = lambdaContext(clock, { remainingMillis: setup.remainingMillis ?? 900_000 });
  const answer = await call(order, context).catch((error: unknown) => error);
  return { answer, reads, waited: clock.now() - begun, context };
}

describe('a request that waits for another one', () => {
  it('looks again after pauses that grow, by chance, and gives up when its time is over', async () => {
    const { answer, reads, waited } = await waiting(10_000);
    expect(answer).toMatchObject({ code: 'IN_FLIGHT', retryAfterMillis: 51_000 });
    expect(waited).toBe(10_000);
    expect(reads).toEqual([50, 150, 350, 750, 1550, 2550, 3550, 4550, 5550, 6550, 7550, 8550, 9550, 10_000]);
    expect(guards.eventTypes()).toEqual(['claimed', 'waiting', 'inFlight']);
  });

  it('waits as long for a record that only a write meets, because it is not committed', async () => {
    const unseen = (real: RecordStore) => ({ ...real, read: async () => undefined });
    const { answer, waited } = await waiting(20_000, { store: unseen });
    expect(answer).toMatchObject({ code: 'IN_FLIGHT', advice: undefined });
    expect(waited).toBe(20_000);
  });

  it('never waits longer than it can still answer', async () => {
    const { answer, waited, context } = await waiting(60_000, { remainingMillis: 5000 });
    expect(answer).toMatchObject({ code: 'IN_FLIGHT' });
    expect(waited).toBe(4250);
    expect(context.getRemainingTimeInMillis()).toBe(750);
  });

  it('takes over when the lease of the other one ends, with the time that is left then', async () => {
    const { answer } = await waiting(120_000);
    expect(answer).toEqual({ waited: 61_000, lease: 839_000 });
    expect(guards.eventTypes()).toEqual(['claimed', 'waiting', 'takenOver', 'completed']);
  });

  it('takes over with a whole lease where the lease has a length of its own', async () => {
    const clock = new VirtualClock();
    const started = deferred();
    const options = { leaseMillis: 30_000, passHandle: true, onInFlight: { waitMillis: 60_000 } };
    const order = newOrder();
    void guards.idempotent(
      crashing(() => started.resolve()) as (order: Order) => unknown,
      { ...options, passHandle: false },
      clock,
    )(order);
    await started.promise;
    const fn = async (_: Order, handle?: { leaseUntil: number }) => (handle?.leaseUntil ?? 0) - clock.now();
    expect(await guards.idempotent(fn, options, clock)(order)).toBe(30_000);
  });

  it('goes on when a look fails that may succeed later, and not when the store refuses it', async () => {
    const failing = (retryable: boolean) => (real: RecordStore) => {
      let failures = 3;
      const read = (id: string) =>
        failures-- > 0 ? Promise.reject(new IdempotencyError('STORE_UNAVAILABLE', 'no', { retryable })) : real.read(id);
      return { ...real, read };
    };
    expect((await waiting(120_000, { store: failing(true) })).answer).toMatchObject({ waited: 61_000 });
    expect((await waiting(120_000, { store: failing(false) })).answer).toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('gives up in time when a look hangs', async () => {
    const hangs = (real: RecordStore): RecordStore => ({ ...real, read: () => new Promise(() => undefined) });
    const { answer, waited } = await waiting(10_000, { store: hangs });
    expect(answer).toMatchObject({ code: 'IN_FLIGHT' });
    expect(waited).toBe(10_000);
  });

  it('does not wait for what it may not see: another payload is refused at once', async () => {
    const started = deferred();
    const options = { fingerprint: 'amount', onInFlight: { waitMillis: 10_000 } };
    const order = newOrder();
    void guards.guarded({ handler: crashing(() => started.resolve()), options })(order);
    await started.promise;
    const handler = vi.fn();
    expect(await thrownBy(guards.guarded({ handler, options })({ ...order, amount: 1 }))).toMatchObject({
      code: 'KEY_REUSED',
    });
  });
});
