import { describe, expect, it, vi } from 'vitest';
import { TIMED_OUT, within } from '../../src/core/runtime.ts';
import { deferred, TestClock } from '../support/harness.ts';

describe('an answer', () => {
  const clock = new TestClock();
  const waiting = () => {
    const timer = deferred();
    const cancel = vi.fn();
    const delay = vi.fn(() => ({ elapsed: timer.promise, cancel }));
    return {
      runtime: { ...clock, now: clock.now, monotonic: clock.monotonic, randomToken: clock.randomToken, delay },
      delay,
      cancel,
      elapse: timer.resolve,
    };
  };

  it('that comes in time is taken, and nobody waits any longer', async () => {
    const { runtime, delay, cancel } = waiting();
    expect(await within(runtime, 5, async () => 'answer')).toBe('answer');
    expect(delay).toHaveBeenCalledWith(5);
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('that fails in time fails, and nobody waits any longer', async () => {
    const { runtime, cancel } = waiting();
    await expect(within(runtime, 5, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(cancel).toHaveBeenCalledTimes(1);
  });

  it('that does not come is given up when the time is over, at once when there is none', async () => {
    const { runtime, delay, elapse } = waiting();
    const answer = within(runtime, -5, () => new Promise(() => undefined));
    elapse();
    expect(await answer).toBe(TIMED_OUT);
    expect(delay).toHaveBeenCalledWith(0);
  });
});
