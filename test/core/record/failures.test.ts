import { describe, expect, it } from 'vitest';
import { isStoreError, storeFailure, unfinished } from '../../../src/core/record/failures.ts';
import { IdempotencyError } from '../../../src/errors.ts';

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
