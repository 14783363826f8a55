import { describe, expect, it, vi } from 'vitest';
import { expirationAt } from '../../src/core/budget.ts';
import { contention, rejection } from '../../src/core/claim/decide.ts';
import { emit } from '../../src/core/events.ts';
import type { ResolvedProtocolOptions } from '../../src/core/options.ts';
import { isStoreError, storeFailure, unfinished } from '../../src/core/record/failures.ts';
import { TIMED_OUT, within } from '../../src/core/runtime.ts';
import { IdempotencyError } from '../../src/errors.ts';
import { deferred, TestClock } from '../support/harness.ts';

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

describe('a refusal says what to do', () => {
  it.each([
    [
      rejection({ kind: 'keyReused' }, 'op#1'),
      {
        code: 'KEY_REUSED',
        message: 'This idempotency key was used before with a different request. Use a new key for a new request.',
        advice: undefined,
      },
    ],
    [
      rejection({ kind: 'inFlight', retryAfterMillis: 7 }, 'op#1'),
      {
        code: 'IN_FLIGHT',
        message: 'A request with this idempotency key is being executed. Retry later with the same key.',
        retryAfterMillis: 7,
      },
    ],
    [
      rejection({ kind: 'outcomeUnknown' }, 'op#1'),
      {
        code: 'OUTCOME_UNKNOWN',
        message:
          'An earlier execution of this request ended without an answer. It is not executed again: find out what it did.',
        advice:
          "The lease of record op#1 ran out unsettled and onExpiredLease is 'throw'. Find out what the execution did. Then `npx " +
          'middy-idempotency release` lets a retry execute, and `npx middy-idempotency complete` gives retries the response ' +
          'that was lost; both take this id and --table.',
      },
    ],
    [
      contention(10, 1000),
      {
        code: 'IN_FLIGHT',
        message: 'Too many requests with this idempotency key arrive at once. Retry later with the same key.',
        retryAfterMillis: 1000,
        advice: 'The record changed hands 10 times.',
      },
    ],
  ])('%s', (error, expected) => {
    expect(error).toBeInstanceOf(IdempotencyError);
    expect(error).toMatchObject(expected);
  });
});

describe("a store's failure", () => {
  it('is what the store has made of it, or one that may go away by itself', () => {
    const own = new IdempotencyError('RECORD_INVALID', 'no');
    expect(storeFailure(own)).toBe(own);
    const cause = new Error('no network');
    expect(storeFailure(cause)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The request could not be checked for duplicates. Retry later with the same key.',
      cause,
      retryable: true,
      unanswered: true,
    });
    expect(storeFailure(cause)).not.toHaveProperty('advice', expect.anything());
  });

  it('is another one for a request that was admitted, and says the same of what to do', () => {
    const failure = new IdempotencyError('STORE_UNAVAILABLE', 'no', {
      retryable: false,
      recordRefused: true,
      advice: 'There.',
    });
    expect(unfinished(failure, 'Here.')).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: 'The request could not be brought to its end. Retry later with the same key.',
      cause: failure,
      retryable: false,
      recordRefused: true,
      advice: 'Here. There.',
    });
    expect(unfinished(failure).advice).toBe('There.');
    const refused = new IdempotencyError('RECORD_INVALID', 'no');
    expect(unfinished(refused)).toBe(refused);
  });

  it('is told from other errors', () => {
    expect(isStoreError(new IdempotencyError('STORE_UNAVAILABLE', 'm'))).toBe(true);
    expect(isStoreError(new IdempotencyError('RECORD_INVALID', 'm'))).toBe(true);
    expect(isStoreError(new IdempotencyError('KEY_REUSED', 'm'))).toBe(false);
    expect(isStoreError({ code: 'STORE_UNAVAILABLE' })).toBe(false);
  });
});

describe('an answer', () => {
  const clock = new TestClock();
  const waiting = () => {
    const timer = deferred();
    const cancel = vi.fn();
    const delay = vi.fn(() => ({ elapsed: timer.promise, cancel }));
    return {
      runtime: { ...clock, now: clock.now, randomToken: clock.randomToken, delay },
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

describe('an event', () => {
  const event = { type: 'claimed', operation: 'o', id: 'i', attempt: 1, durationMillis: 0 } as const;

  it('is told as it is', () => {
    const onEvent = vi.fn();
    emit(onEvent, event);
    expect(onEvent).toHaveBeenCalledExactlyOnceWith(event);
    expect(() => emit(undefined, event)).not.toThrow();
  });

  it('harms nobody when the callback throws or rejects', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      const failing = () => {
        throw new Error('no metrics');
      };
      expect(() => emit(failing, event)).not.toThrow();
      emit(() => Promise.reject(new Error('no metrics')), event);
      await new Promise((resolve) => setImmediate(resolve));
      expect(rejections).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });
});
