import { LRU } from 'tiny-lru';
import type { CompletedRecord } from './record.ts';

/** Completed records in this process, the least recently used given up first. It holds text, never an object of a reply. */
export interface RecordCache {
  /** The record as it was last seen: whoever asks decides whether it still counts. */
  find(id: string): CompletedRecord | undefined;
  /** Keeps a record whose outcome is final and here: nothing but its retention can change what a retry gets. */
  keep(record: CompletedRecord): void;
}

export function recordCache({ maxEntries }: { readonly maxEntries: number }): RecordCache {
  const records = new LRU<CompletedRecord>(maxEntries);
  return {
    find: (id) => records.get(id),
    keep(record) {
      const { type } = record.outcome;
      const isHere = type === 'RETURNED' || type === 'THREW';
      if (isHere && record.provisional === undefined) records.set(record.id, record);
    },
  };
}
