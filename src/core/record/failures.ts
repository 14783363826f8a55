import { IdempotencyError, type IdempotencyErrorDetails } from '../../errors.ts';

export const RETRY_LATER = 'Retry later with the same key.';
const NOT_CHECKED = `The request could not be checked for duplicates. ${RETRY_LATER}`;
const NOT_FINISHED = `The request could not be brought to its end. ${RETRY_LATER}`;
export const NO_ANSWER = 'did not answer while there was time';

/** The store could not do what it was asked to do. */
export function storeUnavailable(details: IdempotencyErrorDetails, message = NOT_CHECKED): IdempotencyError {
  return new IdempotencyError('STORE_UNAVAILABLE', message, details);
}

/** An error of a store as this package's error. An error that the store does not explain counts as temporary and unanswered. */
export function storeFailure(error: unknown, advice?: string): IdempotencyError {
  if (error instanceof IdempotencyError) return error;
  return storeUnavailable({ cause: error, advice, retryable: true, unanswered: true });
}

/** The store took longer than its caller can wait. */
export function storeTimeout(what: string): IdempotencyError {
  return storeFailure(new Error(`the store ${what}`), 'Look at the latency of the table, and at the timeouts.');
}

/** The same, before the guarded code has run. */
export function claimTimeout(what: string): IdempotencyError {
  return storeTimeout(`${what}; nothing was executed`);
}

/** The record is not what this version writes: another version or another program wrote it. */
export function recordInvalid(what: string, end = '.', cause?: unknown): IdempotencyError {
  const message = 'The record of this request cannot be read. It is not executed.';
  return new IdempotencyError('RECORD_INVALID', message, {
    advice: `${what} not what this version writes${end}`,
    cause,
  });
}

export function isStoreError(error: unknown): boolean {
  return error instanceof IdempotencyError && (error.code === 'STORE_UNAVAILABLE' || error.code === 'RECORD_INVALID');
}

/** The same failure for the guarded code: the request was admitted, and a write of it failed. */
export function unfinished(failure: IdempotencyError, advice = ''): IdempotencyError {
  if (failure.code !== 'STORE_UNAVAILABLE') return failure;
  const all = [advice, failure.advice].filter(Boolean).join(' ');
  return revised(failure, { advice: all }, NOT_FINISHED);
}

/** The same failure, with other details. */
export function revised(
  failure: IdempotencyError,
  details: IdempotencyErrorDetails,
  message = failure.message,
): IdempotencyError {
  return new IdempotencyError(failure.code, message, { ...failure, ...details, cause: failure });
}

/** For the caller of an execution that came too late: another execution has the request. */
export function leaseLostError(): IdempotencyError {
  return leaseLost(
    'This request took too long and was given to another execution.',
    "Make leaseMillis, or the function's timeout, longer than the longest execution.",
  );
}

/** For the running code, shortly before its lease ends. */
export function leaseEndsError(): IdempotencyError {
  return leaseLost('This request takes too long.', 'The lease ends in a moment: make leaseMillis longer, or renew it.');
}

/** For code that goes on after the end of its execution. */
export function endedError(): IdempotencyError {
  return leaseLost('The execution of this request has ended.', 'The handler has ended: await every step before that.');
}

function leaseLost(what: string, advice: string): IdempotencyError {
  const message = `${what} Retry with the same key for its outcome.`;
  return new IdempotencyError('LEASE_LOST', message, { advice, retryAfterMillis: 1000 });
}
