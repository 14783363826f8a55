import { refuseUnknownOptions } from '../core/options.ts';
import type { IdempotencyRecord } from '../core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../core/record/store.ts';
import { optionError } from '../errors.ts';
import { isPromise, present } from '../json.ts';

export interface MemoryStoreOptions<TItem> {
  /**
   * Writes the items of a transaction into the test's own data. It runs between the comparison and the write of the record.
   * It must be synchronous: then nothing else runs between these three. Check every item first, and then write: what it throws
   * is a refusal of the items. The record is then not written, but what `apply` has written itself stays.
   * @default none: `transact` throws a TypeError
   */
  readonly apply?: (items: readonly TItem[]) => void;
}

/**
 * Records in this process: for unit tests and for trying things out. It guards one process only, forgets everything
 * when that ends, and never evicts.
 *
 * @throws TypeError that names the wrong option
 */
export function memoryStore<TItem = never>(options: MemoryStoreOptions<TItem> = {}): RecordStore<TItem> {
  refuseUnknownOptions(options, ['apply']);
  const { apply } = options;
  if (apply !== undefined && typeof apply !== 'function') throw optionError('apply', 'must be a function of the items');
  const records = new Map<string, IdempotencyRecord>();

  const conditionally = (id: string, expected: Expected | undefined, write: () => void): WriteResult => {
    const existing = records.get(id);
    if (!matches(existing, expected)) return { done: false, existing };
    write();
    return { done: true };
  };

  // Every verb runs in one piece: nothing can come between the comparison and the write.
  return {
    async insert(record) {
      return conditionally(record.id, undefined, () => records.set(record.id, frozen(record)));
    },
    async replace(record, expected) {
      return conditionally(record.id, expected, () => records.set(record.id, frozen(record)));
    },
    async transact(record, expected, items) {
      try {
        if (!record) {
          applyNow(apply, items);
          return { done: true };
        }
        const copy = frozen(record);
        return conditionally(record.id, expected, () => {
          applyNow(apply, items);
          records.set(record.id, copy);
        });
      } catch (itemsError) {
        return { done: false, itemsError };
      }
    },
    async remove(id, expected) {
      return conditionally(id, expected, () => records.delete(id));
    },
    async read(id) {
      return records.get(id);
    },
  };
}

/** `expected: undefined`: there must be no record. */
function matches(existing: IdempotencyRecord | undefined, expected: Expected | undefined): boolean {
  if (existing === undefined || expected === undefined) return existing === expected;
  const { owner, status, leaseUntil, revision } = expected;
  return (
    existing.owner === owner &&
    existing.status === status &&
    (leaseUntil === undefined || (existing.status === 'IN_PROGRESS' && existing.leaseUntil === leaseUntil)) &&
    (revision === undefined || (existing.status === 'COMPLETED' && existing.revision === revision))
  );
}

function applyNow<TItem>(apply: MemoryStoreOptions<TItem>['apply'], items: readonly TItem[]): void {
  if (apply === undefined)
    throw new TypeError('transact needs memoryStore({ apply: (items) => … }), which writes them');
  if (isPromise(apply(items)))
    throw new TypeError('memoryStore: `apply` must be synchronous, and it answered a promise');
}

/** A copy that cannot be changed, neither by the writer later nor by a reader. */
function frozen(record: IdempotencyRecord): IdempotencyRecord {
  const copy = present(structuredClone(record));
  if (copy.status === 'COMPLETED') Object.freeze(copy.outcome);
  return Object.freeze(copy);
}
