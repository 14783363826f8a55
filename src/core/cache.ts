import type { LRUCache } from 'lru-cache';
import type { CompletedRecord } from './record.ts';

/** Completed records in this process, the least recently used given up first. It holds text, never an object of a reply. */
export interface RecordCache {
  /** The record as it was last seen: whoever asks decides whether it still counts. */
  find(id: string): Promise<CompletedRecord | undefined>;
  /** Keeps a record whose outcome is final and here: nothing but its retention can change what a retry gets. */
  keep(record: CompletedRecord): void;
}

export function recordCache({ maxEntries }: { readonly maxEntries: number }): RecordCache {
  // Loaded when a guard asks for it: the others pay nothing for it at a cold start.
  const records = import('lru-cache').then(
    (module): LRUCache<string, CompletedRecord> => new module.LRUCache({ max: maxEntries }),
  );
  return {
    async find(id) {
      return (await records).get(id);
    },
    keep(record) {
      const { type } = record.outcome;
      const isHere = type === 'RETURNED' || type === 'THREW';
      if (isHere && record.provisional === undefined) void records.then((kept) => kept.set(record.id, record));
    },
  };
}
