import type { RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it } from 'vitest';
import { timeBudget } from '../../src/core/budget.ts';
import { crashing, newOrder, thrownBy, useGuards, VirtualClock } from '../support/harness.ts';

const HOUR_MILLIS = 3_600_000;

/** An hour back, and back again, but not for ever: code that goes by it must end some time, so that it can fail. */
function stepsBack(clock: VirtualClock): () => void {
  let left = 3;
  return () => {
    if (left-- > 0) clock.step(-HOUR_MILLIS);
  };
}

const guards = useGuards(() => memoryStore());

describe('a wall clock that steps back an hour', () => {
  it('does not make a duplicate wait longer than it was told to', async () => {
    const clock = new VirtualClock();
    const order = newOrder();
    const step = stepsBack(clock);
    void guards.guarded({ handler: crashing(), clock })(order);
    const store: RecordStore = {
      ...guards.store,
      read: (id) => {
        step();
        return guards.store.read(id);
      },
    };
    const options = { store, onInFlight: { waitMillis: 500 } };
    const begun = clock.monotonic();
    const duplicate = guards.guarded({ handler: async () => 'executed', options, clock })(order);
    expect(await thrownBy(duplicate)).toMatchObject({ code: 'IN_FLIGHT' });
    expect(clock.monotonic() - begun).toBe(500);
  });

  it('does not make the outcome of a function take longer than 10 s to be given up', async () => {
    const clock = new VirtualClock();
    const step = stepsBack(clock);
    const store: RecordStore = {
      ...guards.store,
      replace: () => {
        step();
        return Promise.reject(new Error('no network'));
      },
    };
    const begun = clock.monotonic();
    expect(await guards.idempotent(async (_: { id: string }) => 'paid', { store }, clock)(newOrder())).toBe('paid');
    expect(clock.monotonic() - begun).toBeLessThanOrEqual(10_000);
    expect(guards.eventTypes()).toContain('completionFailed');
  });

  it('does not make a write that hangs take more than those 10 s, however late it began', async () => {
    const clock = new VirtualClock();
    const step = stepsBack(clock);
    let tries = 0;
    const store: RecordStore = {
      ...guards.store,
      replace: () => {
        step();
        return ++tries < 5 ? Promise.reject(new Error('no network')) : new Promise(() => undefined);
      },
    };
    const begun = clock.monotonic();
    expect(await guards.idempotent(async (_: { id: string }) => 'paid', { store }, clock)(newOrder())).toBe('paid');
    expect(clock.monotonic() - begun).toBe(10_000);
  });

  it('does not give an invocation more time than it had when it began', () => {
    const clock = new VirtualClock();
    const deadline = clock.now() + 5000;
    // Lambda computes the remaining time by the wall clock.
    const budget = timeBudget(clock, undefined, () => deadline - clock.now());
    clock.advance(2000);
    clock.step(-HOUR_MILLIS);
    expect(budget.toAnswer()).toBe(2500);
    expect(budget.left(clock.now() + HOUR_MILLIS)).toBe(2500);
  });

  it('says in an event how long it took, not how far the clock has gone', async () => {
    const clock = new VirtualClock();
    const handler = async () => {
      clock.advance(20);
      clock.step(-HOUR_MILLIS);
    };
    await guards.guarded({ handler, clock })(newOrder());
    expect(guards.events.at(-1)).toMatchObject({ type: 'completed', durationMillis: 20 });
  });
});
