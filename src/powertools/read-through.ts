import type { IdempotencyRecord, InProgressRecord } from '../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../core/record/store.ts';
import { isClaim, type Migration, predecessorOf, verbsOf } from './predecessor.ts';

/**
 * The store of one request, where the old code no longer runs: after each claim, what Powertools has is read. So an old execution
 * that began before the claim is seen, and two executions of the new code cannot both read nothing.
 */
export function readThrough(migration: Migration): RecordStore {
  const { store } = migration.options;
  const { look, accept, read } = predecessorOf(migration);
  return {
    ...verbsOf(store),
    async insert(record) {
      const answer = await store.insert(record);
      return isClaim(record) ? afterClaim(record, answer) : answer;
    },
    async replace(record, expected) {
      const answer = await store.replace(record, expected);
      return isClaim(record, expected) ? afterClaim(record, answer) : answer;
    },
    read,
  };

  async function afterClaim(claim: InProgressRecord, answer: WriteResult): Promise<WriteResult> {
    // The answer to the claim was lost, and the SDK has sent it again: the record in the way is the claim.
    const isClaimed = answer.done || isSameClaim(answer.existing, claim);
    const known = isClaimed ? await look(claim) : undefined;
    if (!known) return answer;
    const expected = { owner: claim.owner, status: 'IN_PROGRESS' } as const;
    if (known.kind === 'inFlight' || known.kind === 'keyReused') await giveBack(claim, expected, known.kind);
    return accept(known, claim, expected);
  }

  /** As if there had been no claim. A request with the wrong payload must not leave its fingerprint. */
  async function giveBack(claim: InProgressRecord, expected: Expected, why: 'inFlight' | 'keyReused'): Promise<void> {
    const { leaseUntil: _, ...kept } = claim;
    const fingerprint = why === 'keyReused' ? undefined : claim.fingerprint;
    try {
      await (claim.attempt === 1
        ? store.remove(claim.id, expected)
        : store.replace({ ...kept, fingerprint, status: 'RELEASED' }, expected));
    } catch {
      // The lease runs out by itself.
    }
  }
}

function isSameClaim(existing: IdempotencyRecord | undefined, { owner }: InProgressRecord): boolean {
  return existing?.owner === owner && existing.status === 'IN_PROGRESS';
}
