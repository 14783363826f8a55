import { randomUUID } from 'node:crypto';
import type { CompletedRecord, StoredOutcome } from 'middy-idempotency';

/** A record that is done, with an id of its own, and lasts as long as any test. */
export function completed(outcome: StoredOutcome): CompletedRecord {
  const id = `op#${randomUUID()}`;
  return { id, status: 'COMPLETED', owner: 'me', attempt: 1, expiration: 2_500_000_000, outcome };
}
