import type { IdempotencyRecord } from '../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../core/record/store.ts';
import { present } from '../json.ts';

/**
 * Records in this process: for unit tests and for trying things out. It guards one process only, forgets everything
 * when that ends, and never evicts.
 */
export function memoryStore(): RecordStore {
  const records = new Map<string, IdempotencyRecord>();

  const conditionally = (id: string, expected: Expected, write: () => void): WriteResult => {
    const existing = records.get(id);
    if (existing === undefined || !matches(existing, expected)) return { done: false, existing };
    write();
    return { done: true };
  };

  // Every verb runs in one piece: nothing can come between the comparison and the write.
  return {
    async insert(record) {
      const existing = records.get(record.id);
      if (existing !== undefined) return { done: false, existing };
      records.set(record.id, frozen(record));
      return { done: true };
    },
    async replace(record, expected) {
      return conditionally(record.id, expected, () => records.set(record.id, frozen(record)));
    },
    async remove(id, expected) {
      return conditionally(id, expected, () => records.delete(id));
    },
    async read(id) {
      return records.get(id);
    },
  };
}

function matches(existing: IdempotencyRecord, { owner, status, leaseUntil, revision }: Expected): boolean {
  return (
    existing.owner === owner &&
    existing.status === status &&
    (leaseUntil === undefined || (existing.status === 'IN_PROGRESS' && existing.leaseUntil === leaseUntil)) &&
    (revision === undefined || (existing.status === 'COMPLETED' && existing.revision === revision))
  );
}

/** A copy that cannot be changed, neither by the writer later nor by a reader. */
function frozen(record: IdempotencyRecord): IdempotencyRecord {
  const copy = present(structuredClone(record));
  if (copy.status === 'COMPLETED') Object.freeze(copy.outcome);
  return Object.freeze(copy);
}
