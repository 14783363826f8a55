import { expect, it, vi } from 'vitest';
import type { IdempotencyHandle } from '../../src/index.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { deferred, newOrder, type Order, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();

it('a lease is renewed in the table while the function runs, and its outcome is stored', async () => {
  const started = deferred<IdempotencyHandle>();
  const gate = deferred();
  const fn = vi.fn(async (_order: Order, handle?: IdempotencyHandle) => {
    started.resolve(handle as IdempotencyHandle);
    await gate.promise;
    return 'done';
  });
  const options = { leaseMillis: 6000, renewLease: true, passHandle: true };
  const call = guards.idempotent(fn, options, systemRuntime);
  const order = newOrder();
  const first = call(order);
  const handle = await started.promise;
  const claimed = handle.leaseUntil;
  await vi.waitFor(() => expect(handle.leaseUntil).toBeGreaterThan(claimed), { timeout: 10_000 });
  expect(await guards.store.read(handle.id)).toMatchObject({ leaseUntil: handle.leaseUntil });
  expect(await thrownBy(call(order))).toMatchObject({ code: 'IN_FLIGHT' });
  gate.resolve();
  expect(await first).toBe('done');
  expect(await call(order)).toBe('done');
  expect(fn).toHaveBeenCalledTimes(1);
});
