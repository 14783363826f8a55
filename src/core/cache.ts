import type { CompletedRecord } from './record/record.ts';

/** Completed records in this process. The least recently used one is given up first. */
export interface RecordCache {
  /** The record as it was last seen. The caller decides whether it still counts. */
  find(id: string): CompletedRecord | undefined;
  /** Keeps a record whose outcome is final and readable: only its retention can change what a retry gets. */
  keep(record: CompletedRecord): void;
}

export function recordCache({ maxEntries }: { readonly maxEntries: number }): RecordCache {
  /** In the order of their last use. */
  const records = new Map<string, CompletedRecord>();

  function use(record: CompletedRecord): void {
    records.delete(record.id);
    records.set(record.id, record);
  }

  return {
    find(id) {
      const record = records.get(id);
      if (record) use(record);
      return record;
    },
    keep(record) {
      const { type } = record.outcome;
      if ((type !== 'RETURNED' && type !== 'THREW') || record.revision !== undefined) return;
      use(record);
      const [oldest = ''] = records.keys();
      if (records.size > maxEntries) records.delete(oldest);
    },
  };
}
