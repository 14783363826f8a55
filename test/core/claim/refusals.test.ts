import { describe, expect, it } from 'vitest';
import { contention, rejection } from '../../../src/core/claim/decide.ts';
import { IdempotencyError } from '../../../src/errors.ts';

describe('a refusal says what to do', () => {
  it.each([
    [
      rejection({ kind: 'keyReused' }, 'op#1'),
      {
        code: 'KEY_REUSED',
        message: 'This idempotency key was used before with a different request. Use a new key for a new request.',
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
          "The lease of record op#1 ended, and onExpiredLease is 'throw'. Find out what the execution did, then use " +
          '`npx middy-idempotency release` or `complete`.',
      },
    ],
    [
      contention(10, 1000),
      {
        code: 'IN_FLIGHT',
        message: 'A request with this idempotency key is being executed. Retry later with the same key.',
        retryAfterMillis: 1000,
        advice: 'The record changed hands 10 times.',
      },
    ],
  ])('%s', (error, expected) => {
    expect(error).toBeInstanceOf(IdempotencyError);
    expect(error).toMatchObject(expected);
  });
});
