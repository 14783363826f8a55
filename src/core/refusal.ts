import { IdempotencyError } from '../errors.ts';
import type { Decision } from './decide.ts';

/** Why a request is not executed, to be told to its client. Nothing is written. */
export function refusal(
  decision: Extract<Decision, { kind: 'keyReused' | 'inFlight' | 'outcomeUnknown' }>,
  recordId: string,
): IdempotencyError {
  switch (decision.kind) {
    case 'keyReused':
      return new IdempotencyError(
        'KEY_REUSED',
        'This idempotency key was used before with a different request. Use a new key for a new request.',
      );
    case 'inFlight':
      return new IdempotencyError(
        'IN_FLIGHT',
        'A request with this idempotency key is being executed. Retry later with the same key.',
        { retryAfterMillis: decision.retryAfterMillis },
      );
    case 'outcomeUnknown':
      return new IdempotencyError(
        'OUTCOME_UNKNOWN',
        'An earlier execution of this request ended without an answer. It is not executed again: find out what it did.',
        {
          advice:
            `The lease of record ${recordId} ran out unsettled and onExpiredLease is 'throw'. ` +
            'Find out what the execution did. Then `npx middy-idempotency release` lets a retry execute, and ' +
            '`npx middy-idempotency complete` gives retries the response that was lost; both take this id and --table.',
        },
      );
  }
}

/** Claims that take the record from each other, again and again. */
export function contention(rounds: number, retryAfterMillis: number): IdempotencyError {
  return new IdempotencyError(
    'IN_FLIGHT',
    'Too many requests with this idempotency key arrive at once. Retry later with the same key.',
    { retryAfterMillis, advice: `The record changed hands ${rounds} times.` },
  );
}
