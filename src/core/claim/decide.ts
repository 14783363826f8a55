import { IdempotencyError } from '../../errors.ts';
import { RETRY_LATER } from '../record/failures.ts';
import {
  type Checkpoints,
  type IdempotencyRecord,
  type InProgressRecord,
  isCompleted,
  isExpired,
  type StoredOutcome,
} from '../record/record.ts';
import type { Expected } from '../record/store.ts';

/** A duplicate does not retry sooner, unless the lease ends sooner. */
const MIN_RETRY_MILLIS = 1000;

export interface DecisionPolicy {
  readonly clockSkewMillis: number;
  readonly onExpiredLease: 'run' | 'throw';
}

export type TakeoverReason = 'retention over' | 'released' | 'lease over';

export type Decision =
  | { readonly kind: 'won'; readonly record: InProgressRecord }
  | {
      readonly kind: 'takeover';
      /** `undefined` where the record is already this claim's own. */
      readonly reason: TakeoverReason | undefined;
      readonly attempt: number;
      readonly expected: Expected;
      /** What the earlier attempts have done. */
      readonly checkpoints: Checkpoints | undefined;
    }
  | { readonly kind: 'keyReused' }
  | { readonly kind: 'replay'; readonly outcome: StoredOutcome }
  | { readonly kind: 'inFlight'; readonly retryAfterMillis: number }
  | { readonly kind: 'outcomeUnknown' };

/** What a claim that met an existing record may do. Pure: `now` is the clock of the claiming host, epoch milliseconds. */
export function decide(
  existing: IdempotencyRecord,
  claim: Pick<InProgressRecord, 'owner' | 'fingerprint' | 'leaseUntil'>,
  policy: DecisionPolicy,
  now: number,
): Decision {
  // The answer to this claim was lost, and the SDK sent the claim again: the record in the way is our own.
  const isRunning = existing.status === 'IN_PROGRESS';
  if (existing.owner === claim.owner && isRunning) {
    // With checkpoints it is written once more: only the answer to a write says how much room is left for others.
    return existing.checkpoints ? takeover(existing) : { kind: 'won', record: existing };
  }
  // At most once: an unsettled execution stays unknown until an operator resolves it.
  const unsettled = isRunning && policy.onExpiredLease === 'throw';
  if (isExpired(existing, now) && !unsettled) return takeover(existing, 'retention over');
  if (differ(existing.fingerprint, claim.fingerprint)) return { kind: 'keyReused' };
  if (isCompleted(existing)) return { kind: 'replay', outcome: existing.outcome };
  if (!isRunning) return takeover(existing, 'released');
  // The owner's clock may be behind ours: its lease counts as live a little longer here than there.
  const over = existing.leaseUntil + policy.clockSkewMillis;
  // Leases of the same work are about equally long: the other claim is older by this. The longer it runs already, the
  // longer it may still take.
  const ageMillis = Math.max(MIN_RETRY_MILLIS, claim.leaseUntil - existing.leaseUntil);
  if (now < over) return { kind: 'inFlight', retryAfterMillis: Math.min(over - now, ageMillis) };
  return unsettled ? { kind: 'outcomeUnknown' } : takeover(existing, 'lease over');
}

/** What a record in progress has, and others may not have. */
type Lasting = Partial<Pick<InProgressRecord, 'leaseUntil' | 'checkpoints'>>;

function takeover(existing: IdempotencyRecord, reason?: TakeoverReason): Decision {
  const { owner, status, attempt, leaseUntil, checkpoints }: IdempotencyRecord & Lasting = existing;
  return {
    kind: 'takeover',
    reason,
    attempt: attempt + 1,
    expected: { owner, status, leaseUntil },
    checkpoints: reason === 'retention over' ? undefined : checkpoints,
  };
}

/** Without a fingerprint on both sides there is nothing to compare: a deployment added or removed the option. */
function differ(stored: string | undefined, claimed: string | undefined): boolean {
  return stored !== undefined && claimed !== undefined && stored !== claimed;
}

/** Why a request is not executed, as an error for its client. Nothing is written. */
export function rejection(
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
      return inFlight(decision.retryAfterMillis);
    case 'outcomeUnknown':
      return new IdempotencyError(
        'OUTCOME_UNKNOWN',
        'An earlier execution of this request ended without an answer. It is not executed again: find out what it did.',
        {
          advice:
            `The lease of record ${recordId} ended, and onExpiredLease is 'throw'. Find out what the execution did, then use ` +
            '`npx middy-idempotency release` or `complete`.',
        },
      );
  }
}

/** Many claims take the record from each other. */
export function contention(rounds: number, retryAfterMillis: number): IdempotencyError {
  return inFlight(retryAfterMillis, `The record changed hands ${rounds} times.`);
}

function inFlight(retryAfterMillis: number, advice?: string): IdempotencyError {
  const message = `A request with this idempotency key is being executed. ${RETRY_LATER}`;
  return new IdempotencyError('IN_FLIGHT', message, { retryAfterMillis, advice });
}
