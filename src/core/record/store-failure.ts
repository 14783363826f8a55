import { IdempotencyError } from '../../errors.ts';

/** Whatever a store threw, as this package's error. What a store did not explain may go away by itself. */
export function storeFailure(error: unknown, advice?: string): IdempotencyError {
  if (error instanceof IdempotencyError) return error;
  return new IdempotencyError(
    'STORE_UNAVAILABLE',
    'The request could not be checked for duplicates. Retry later with the same key.',
    { cause: error, retryable: true, ...(advice !== undefined && { advice }) },
  );
}

export function isStoreError(error: unknown): boolean {
  return error instanceof IdempotencyError && (error.code === 'STORE_UNAVAILABLE' || error.code === 'RECORD_INVALID');
}

/** The same for the guarded code: the request was admitted, and something of it could not be stored. */
export function unfinished(failure: IdempotencyError, advice = ''): IdempotencyError {
  if (failure.code !== 'STORE_UNAVAILABLE') return failure;
  const { retryable, recordRefused } = failure;
  return new IdempotencyError(
    'STORE_UNAVAILABLE',
    'The request could not be brought to its end. Retry later with the same key.',
    {
      cause: failure,
      advice: [advice, failure.advice].filter(Boolean).join(' '),
      ...(retryable !== undefined && { retryable }),
      ...(recordRefused !== undefined && { recordRefused }),
    },
  );
}
