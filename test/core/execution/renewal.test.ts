import type { IdempotencyHandle, RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import {
  deferred,
  lambdaContext,
  newOrder,
  type Order,
  TestClock,
  thrownBy,
  useGuards,
  VirtualClock,
} from '../../support/harness.ts';

const guards = useGuards(() => memoryStore());

type Work = (handle: IdempotencyHandle, clock: VirtualClock) => Promise<unknown>;

/** A guarded function on a virtual clock, with a lease of 30 s that is renewed. */
function renewing(work: Work, options: object = {}) {
  const clock = new VirtualClock();
  const replace = vi.fn(guards.store.replace);
  const store: RecordStore = { ...guards.store, replace };
  const fn = async (_order: Order, handle?: IdempotencyHandle) => work(handle as IdempotencyHandle, clock);
  const all = { store, leaseMillis: 30_000, renewLease: true, passHandle: true, ...options };
  return { clock, replace, call: guards.idempotent(fn, all, clock) };
}

const pause = (clock: VirtualClock, millis: number) => clock.delay(millis).elapsed;
const firedAt = ({ signal }: IdempotencyHandle, clock: VirtualClock) =>
  new Promise<number>((resolve) => signal.addEventListener('abort', () => resolve(clock.now())));

describe('a renewed lease', () => {
  it('lasts as long as the work, however long that is, and no timer is left behind', async () => {
    const order = newOrder();
    const { clock, replace, call } = renewing(async ({ signal }, clock) => {
      for (let minute = 0; minute < 10; minute++) {
        await pause(clock, 60_000);
        const now = new TestClock();
        now.advance(clock.now() - now.now());
        expect(
          await thrownBy(guards.guarded({ handler: async () => 'executed again', clock: now })(order)),
        ).toMatchObject({ code: 'IN_FLIGHT' });
      }
      return signal.aborted;
    });
    expect(await call(order)).toBe(false);
    // One at every 10 s of the 600, and the completion.
    expect(replace.mock.calls.length).toBeGreaterThanOrEqual(60);
    expect(replace.mock.calls.length).toBeLessThanOrEqual(61);
    expect(clock.pending).toBe(0);
  });

  it('leaves no timer behind when the work throws', async () => {
    const { clock, call } = renewing(async ({ signal }, clock) => {
      await pause(clock, 15_000);
      throw new Error(`failed, ${signal.aborted}`);
    });
    expect(await thrownBy(call(newOrder()))).toMatchObject({ message: 'failed, false' });
    expect(clock.pending).toBe(0);
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });

  it('that is lost fires the signal, and the work stops', async () => {
    const order = newOrder();
    const { clock, call } = renewing(async (handle, clock) => {
      const fired = firedAt(handle, clock);
      const mine = await guards.store.read(handle.id);
      if (mine?.status !== 'IN_PROGRESS') throw new Error('no record');
      const { owner, status, leaseUntil } = mine;
      await guards.store.replace({ ...mine, owner: 'stranger', attempt: 2 }, { owner, status, leaseUntil });
      await fired;
      throw handle.signal.reason;
    });
    expect(await thrownBy(call(order))).toMatchObject({ code: 'LEASE_LOST' });
    expect(guards.eventTypes()).toEqual(['claimed', 'leaseLost']);
    expect(await guards.store.read(guards.events[0]?.id ?? '')).toMatchObject({ owner: 'stranger' });
    expect(clock.pending).toBe(0);
  });

  it('that cannot be renewed fires the signal while the execution is still alone, and holds what was stopped', async () => {
    let left = 0;
    const { clock, call, replace } = renewing(async (handle, clock) => {
      replace.mockRejectedValue(new Error('no network'));
      const at = await firedAt(handle, clock);
      left = handle.leaseUntil - at;
      throw handle.signal.reason;
    });
    expect(await thrownBy(call(newOrder()))).toMatchObject({
      code: 'LEASE_LOST',
      advice: expect.stringContaining('ends in a moment'),
    });
    expect(left).toBe(1000);
    expect(guards.eventTypes()).toEqual(['claimed', 'held']);
    expect(clock.pending).toBe(0);
  });

  it('gets over a renewal that fails or hangs: it tries again, sooner', async () => {
    const { call, replace } = renewing(async ({ signal }, clock) => {
      replace.mockRejectedValueOnce(new Error('no network')).mockRejectedValueOnce(new Error('no network'));
      await pause(clock, 100_000);
      return signal.aborted;
    });
    expect(await call(newOrder())).toBe(false);
  });

  it('is not renewed where it follows a Lambda invocation, unless it has a length of its own', async () => {
    for (const [leaseMillis, writes] of [
      [undefined, 1],
      [30_000, 6],
    ] as const) {
      const clock = new VirtualClock();
      const replace = vi.fn(guards.store.replace);
      const store: RecordStore = { ...guards.store, replace };
      const fn = async (_order: Order, _context: object) => pause(clock, 55_000);
      const options = { store, renewLease: true, ...(leaseMillis !== undefined && { leaseMillis }) };
      await guards.idempotent(fn, options, clock)(newOrder(), lambdaContext(clock, { remainingMillis: 90_000 }));
      expect(replace).toHaveBeenCalledTimes(writes);
    }
  });

  it('carries the checkpoints on', async () => {
    const effect = vi.fn(async () => 'done');
    const { call } = renewing(async ({ step, attempt }, clock) => {
      await step('one', effect);
      await pause(clock, 25_000);
      if (attempt === 1) throw new Error('again');
    });
    const order = newOrder();
    await thrownBy(call(order));
    await call(order);
    expect(effect).toHaveBeenCalledTimes(1);
  });
});

describe('the signal of an execution whose lease is not renewed', () => {
  const once = (work: Work) => renewing(work, { renewLease: false });

  it('fires a second before the end, and later after an extension', async () => {
    const times: number[] = [];
    await once(async (handle, clock) => {
      const begun = clock.now();
      const fired = firedAt(handle, clock);
      await pause(clock, 20_000);
      await handle.extend(60_000);
      times.push((await fired) - begun);
    }).call(newOrder());
    expect(times).toEqual([79_000]);
  });

  it('fires at once for an execution that loses its lease in a step', async () => {
    const { call } = once(async (handle) => {
      const { signal } = handle;
      const error = await thrownBy(
        handle.step('one', async () => {
          const mine = await guards.store.read(handle.id);
          if (mine === undefined) throw new Error('no record');
          await guards.store.remove(handle.id, mine);
        }),
      );
      expect(signal.reason).toBe(error);
      throw error;
    });
    expect(await thrownBy(call(newOrder()))).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('does not fire once the outcome is stored', async () => {
    const { call, clock } = once(async ({ signal, complete }, clock) => {
      expect(signal.aborted).toBe(false);
      await complete('done');
      await pause(clock, 60_000);
      return signal.aborted ? 'stopped' : 'done';
    });
    expect(await call(newOrder())).toBe('done');
    expect(clock.pending).toBe(0);
  });

  it("fires at Middy's timeout: the handler may still be running", async () => {
    const gate = deferred();
    const seen: AbortSignal[] = [];
    const handler = async (_: unknown, { idempotency }: { idempotency: IdempotencyHandle }) => {
      seen.push(idempotency.signal);
      await gate.promise;
    };
    const call = guards.guarded({ handler, plugin: { timeoutEarlyInMillis: 29_900 } });
    expect(await thrownBy(call(newOrder()))).toMatchObject({ name: 'TimeoutError' });
    expect(seen[0]?.reason).toMatchObject({ code: 'LEASE_LOST' });
    gate.resolve();
  });

  it('costs no timer where nobody asks for it', async () => {
    const { call, clock } = once(async (_handle, clock) => clock.pending);
    expect(await call(newOrder())).toBe(0);
    expect(clock.pending).toBe(0);
  });
});
