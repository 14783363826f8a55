import { setTimeout as timer } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { inTime, type VirtualTime, withVirtualTime } from '../../../src/testing/check/virtual-time.ts';

/** A time whose timers fire at once, and move it. */
function instantTime() {
  let elapsed = 0;
  const waited: number[] = [];
  const time: VirtualTime = {
    now: () => 1_000_000 + elapsed,
    elapsed: () => elapsed,
    random: () => 0.25,
    schedule(millis, fire) {
      waited.push(millis);
      const immediate = setImmediate(() => {
        elapsed += millis;
        fire();
      });
      return () => clearImmediate(immediate);
    },
  };
  return { time, waited };
}

const within = <T>(call: () => Promise<T>) => {
  const { time, waited } = instantTime();
  return withVirtualTime(() => inTime(time, call)).then((value) => ({ value, waited }));
};

it('is that of every clock', async () => {
  const { value } = await within(async () => [
    Date.now(),
    new Date().toISOString(),
    new Date(5).getTime(),
    new Date() instanceof Date,
    Math.random(),
    Date().length > 20,
  ]);
  expect(value).toEqual([1_000_000, new Date(1_000_000).toISOString(), 5, true, 0.25, true]);
});

it('is that of every timer', async () => {
  const { value, waited } = await within(async () => {
    const before = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await new Promise((resolve) => timer(resolve, 200));
    await promisify(setTimeout)(300);
    return [await sleep(400, 'slept'), performance.now() - before];
  });
  expect(value).toEqual(['slept', expect.closeTo(1000)]);
  expect(waited).toEqual([100, 200, 300, 400]);
});

it('fires no timer that is cleared, and repeats an interval until then', async () => {
  const { value } = await within(async () => {
    let count = 0;
    clearTimeout(setTimeout(() => (count += 100), 1));
    await new Promise<void>((resolve) => {
      const interval = setInterval(() => {
        if (++count === 3) {
          clearInterval(interval);
          resolve();
        }
      }, 10);
    });
    await sleep(100);
    return count;
  });
  expect(value).toBe(3);
});

it('aborts as the real timers do', async () => {
  const { value } = await within(async () => {
    const controller = new AbortController();
    const sleeping = sleep(1000, undefined, { signal: controller.signal }).catch((error) => error.name);
    controller.abort();
    const timeout = AbortSignal.timeout(500);
    await sleep(600);
    return [await sleeping, timeout.aborted, timeout.reason.name];
  });
  expect(value).toEqual(['AbortError', true, 'TimeoutError']);
});

it('is no time of what runs beside it', async () => {
  const beside = new Promise((resolve) => setImmediate(() => resolve(Date.now())));
  await within(() => sleep(10));
  expect(await beside).toBeGreaterThan(1_700_000_000_000);
});
