import { IdempotencyError, type IdempotencyHandle, type IdempotencyRecord, type RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { leaseTimers } from '../../../src/core/execution/lease-timers.ts';
import { newOrder, TestClock, thrownBy, useGuards } from '../../support/harness.ts';

const records = memoryStore();
const guards = useGuards(() => records);

const refused = () => new IdempotencyError('STORE_UNAVAILABLE', 'too large', { retryable: false, recordRefused: true });

/** A store that never takes a record with checkpoints. */
function withoutCheckpoints(): { store: RecordStore; written: IdempotencyRecord[] } {
  const written: IdempotencyRecord[] = [];
  const replace: RecordStore['replace'] = async (record, expected) => {
    if (record.status !== 'COMPLETED' && record.checkpoints !== undefined) throw refused();
    written.push(record);
    return records.replace(record, expected);
  };
  return { store: { ...records, replace }, written };
}

const timersOf = (runtime: TestClock) =>
  leaseTimers({
    runtime,
    budget: { reserveMillis: 0, leaseMillis: 1000 } as never,
    record: { leaseUntil: () => runtime.now() + 1000, extend: async () => 'written' },
    onLost: () => undefined,
  });

describe('a step whose result the store never takes', () => {
  it('is said to be done and not kept, and is in the way of no later write', async () => {
    const { store, written } = withoutCheckpoints();
    const effect = vi.fn(async () => 'done');
    let failure: unknown;
    const call = guards.idempotent(
      async (_: object, { step, extend }: IdempotencyHandle) => {
        failure = await thrownBy(step('charge', effect));
        await extend(600_000);
        return 'end';
      },
      { store, passHandle: true, leaseMillis: 10_000 },
    ) as (order: object) => Promise<unknown>;
    expect(await call(newOrder())).toBe('end');
    expect(failure).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      advice: "Step 'charge' is done, and its result could not be kept: a retry may do it again.",
      recordRefused: true,
    });
    expect(effect).toHaveBeenCalledTimes(1);
    expect(written.map(({ status }) => status)).toEqual(['IN_PROGRESS', 'COMPLETED']);
    expect(guards.eventTypes()).toEqual(['claimed', 'checkpointFailed', 'completed']);
  });
});

describe('a step', () => {
  it('needs a function', async () => {
    const call = guards.idempotent((_: object, { step }: IdempotencyHandle) => step('charge', 'no function' as never), {
      store: records,
      passHandle: true,
    }) as (order: object) => Promise<unknown>;
    const error = await thrownBy(call(newOrder()));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({ message: expect.stringContaining('fn must be a function') });
  });
});

describe('the signal of an execution', () => {
  it('is one, however often it is asked for', () => {
    const runtime = new TestClock();
    const watch = timersOf(runtime);
    const [first, second] = [watch.signal(), watch.signal()];
    expect(first).toBe(second);
    watch.fire(new IdempotencyError('LEASE_LOST', 'lost'));
    expect(first.aborted).toBe(true);
  });

  it('that is asked for after it has fired has fired', () => {
    const runtime = new TestClock();
    const watch = timersOf(runtime);
    const lost = new IdempotencyError('LEASE_LOST', 'lost');
    watch.fire(lost);
    expect(watch.signal().aborted).toBe(true);
    expect(watch.signal().reason).toBe(lost);
    expect(watch.hasFired()).toBe(true);
  });
});
