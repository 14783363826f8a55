import { describe, expect, it } from 'vitest';
import { expirationAt, timeBudget } from '../../src/core/budget.ts';
import type { ResolvedProtocolOptions } from '../../src/core/options.ts';
import { TestClock } from '../support/harness.ts';

const clock = new TestClock();
const budget = (leaseMillis: number | undefined, remaining?: () => number) => timeBudget(clock, leaseMillis, remaining);

describe('the time budget in an invocation', () => {
  it('leases for the time that the invocation has left, unless told otherwise', () => {
    expect(budget(undefined, () => 30_000).leaseMillis).toBe(30_000);
    expect(budget(5000, () => 30_000).leaseMillis).toBe(5000);
  });

  it('keeps a tenth of the time for the answer, never more than a second', () => {
    let remaining = 5000;
    const short = budget(undefined, () => remaining);
    expect(short.left(0)).toBe(4500);
    remaining = 400;
    expect(short.left(0)).toBe(-100);
    expect(budget(undefined, () => 60_000).left(0)).toBe(59_000);
    expect(budget(100, () => 5000).left(0)).toBe(4500);
  });

  it('keeps a tenth of the lease, never more than a second, for the work to stop', () => {
    expect(budget(undefined, () => 5000).reserveMillis).toBe(500);
    expect(budget(900, () => 30_000).reserveMillis).toBe(90);
    expect(budget(60_000, () => 5000).reserveMillis).toBe(1000);
  });

  it('tries a settling write for at least 250 ms, and as long as there is time', () => {
    expect(budget(undefined, () => 5000)).toMatchObject({
      minWriteMillis: 250,
      maxSettleMillis: Number.POSITIVE_INFINITY,
    });
  });
});

describe.each([
  ['without remaining time', undefined],
  ['with none left', () => 0],
  ['with less than none left', () => -5],
  ['with a remaining time that is no number', () => Number.NaN],
  ['with an endless one', () => Number.POSITIVE_INFINITY],
])('the time budget %s', (_, remaining) => {
  it('leases for a minute, unless told otherwise', () => {
    expect(budget(undefined, remaining).leaseMillis).toBe(60_000);
    expect(budget(5000, remaining).leaseMillis).toBe(5000);
  });

  it('lasts until the lease ends, less a tenth and at most a second, never longer than ten seconds', () => {
    expect(budget(5000, remaining).left(clock.now() + 5000)).toBe(4500);
    expect(budget(5000, remaining).left(clock.now() + 100)).toBe(-400);
    expect(budget(60_000, remaining).left(clock.now() + 5000)).toBe(4000);
    expect(budget(60_000, remaining).left(clock.now() + 60_000)).toBe(10_000);
  });

  it('tries a settling write for at least a second, and ten at most', () => {
    expect(budget(undefined, remaining)).toMatchObject({ minWriteMillis: 1000, maxSettleMillis: 10_000 });
  });
});

describe('a record may vanish', () => {
  const options = { retentionMillis: 10_000, clockSkewMillis: 1000, onExpiredLease: 'run' } as ResolvedProtocolOptions;
  const TEN_YEARS = 10 * 365 * 86_400;

  it('after its retention, in whole seconds, rounded up', () => {
    expect(expirationAt(1_000_000, options)).toBe(1010);
    expect(expirationAt(1_000_001, options)).toBe(1011);
  });

  it('not before a lease is over on every clock', () => {
    expect(expirationAt(1_000_000, options, 1_010_000)).toBe(1011);
    expect(expirationAt(1_000_000, options, 1_005_000)).toBe(1010);
  });

  it('long after nobody has looked, where it must not be executed twice', () => {
    const atMostOnce = { ...options, onExpiredLease: 'throw' } as const;
    expect(expirationAt(1_000_000, atMostOnce, 1_005_000)).toBe(1000 + TEN_YEARS);
    expect(expirationAt(1_000_000, atMostOnce, 1)).toBe(1000 + TEN_YEARS);
    expect(expirationAt(1_000_000, atMostOnce)).toBe(1010);
  });
});
