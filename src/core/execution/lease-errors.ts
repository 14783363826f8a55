import { IdempotencyError } from '../../errors.ts';

/** For the caller of an execution that came too late: the request is in somebody else's hands. */
export function leaseLostError(): IdempotencyError {
  return new IdempotencyError(
    'LEASE_LOST',
    'This request took too long and was given to another execution. Retry with the same key for its outcome.',
    { advice: "Make the lease (leaseMillis, or the function's timeout) longer than the longest execution." },
  );
}

/** For the running code, a moment before the end. */
export function leaseEndsError(): IdempotencyError {
  return new IdempotencyError('LEASE_LOST', 'This request takes too long. Retry with the same key for its outcome.', {
    advice: 'The lease of the execution ends in a moment and was not extended: make leaseMillis longer, or renew it.',
  });
}

/** For code that goes on when its execution is over. */
export function endedError(): IdempotencyError {
  return new IdempotencyError(
    'LEASE_LOST',
    'The execution of this request has ended. Retry with the same key for its outcome.',
    { advice: 'The handler has returned, thrown or timed out: await every step before that.' },
  );
}
