import type { CompletedRecord, RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';
import { type ConformanceOptions, storeConformance } from 'middy-idempotency/testing';
import { describe, expect, it } from 'vitest';

/** The checks that a store does not pass, by name. */
async function failures<TItem>(store: RecordStore<TItem>, options: ConformanceOptions<TItem> = {}): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of storeConformance(() => store, options)) await run().catch(() => failed.push(name));
  return failed;
}

const sound = memoryStore();

/** Stores that break one rule each. */
const BROKEN: Readonly<Record<string, Partial<RecordStore>>> = {
  'an insert overwrites': {
    async insert(record) {
      const existing = await sound.read(record.id);
      return existing === undefined ? sound.insert(record) : sound.replace(record, existing);
    },
  },
  'an insert reads first, and then writes': {
    async insert(record) {
      const existing = await sound.read(record.id);
      await Promise.resolve();
      if (existing !== undefined) return { done: false, existing };
      await sound.insert(record);
      return { done: true };
    },
  },
  'a conflict answers no record': {
    insert: async (record) => {
      const { done } = await sound.insert(record);
      return done ? { done } : { done, existing: undefined };
    },
  },
  'a write does not compare the owner': {
    replace: async (record, expected) =>
      sound.replace(record, { ...expected, owner: (await sound.read(record.id))?.owner ?? '' }),
  },
  'a removal does not compare the owner': {
    remove: async (id, expected) => sound.remove(id, { ...expected, owner: (await sound.read(id))?.owner ?? '' }),
  },
  'a write does not compare the status': {
    replace: async (record, expected) =>
      sound.replace(record, { ...expected, status: (await sound.read(record.id))?.status ?? 'RELEASED' }),
  },
  'a takeover does not compare the lease': {
    replace: (record, expected) => sound.replace(record, { ...expected, leaseUntil: undefined }),
  },
  'an outcome does not compare the revision': {
    replace: (record, expected) => sound.replace(record, { ...expected, revision: undefined }),
  },
  'a write keeps what the record had before': {
    replace: async (record, expected) => sound.replace({ ...(await sound.read(record.id)), ...record }, expected),
  },
  'a record past its retention is hidden': {
    read: async (id) => {
      const record = await sound.read(id);
      return record !== undefined && record.expiration * 1000 < Date.now() ? undefined : record;
    },
    insert: async (record) => {
      const existing = await sound.read(record.id);
      if (existing === undefined || existing.expiration * 1000 >= Date.now()) return sound.insert(record);
      return sound.replace(record, existing);
    },
  },
  'ids are compared without their case': {
    insert: (record) => sound.insert({ ...record, id: record.id.toLowerCase() }),
    read: (id) => sound.read(id.toLowerCase()),
  },
  'a lease is kept in whole milliseconds': {
    insert: (record) =>
      sound.insert(record.status === 'IN_PROGRESS' ? { ...record, leaseUntil: Math.floor(record.leaseUntil) } : record),
  },
  'an outcome loses its type': {
    replace: (record, expected) =>
      sound.replace({ ...record, outcome: { type: 'RETURNED', json: '1' } } as CompletedRecord, expected),
  },
};

describe('storeConformance', () => {
  it('finds nothing in a store that does what it must', async () => {
    expect(await failures(memoryStore())).toEqual([]);
  });

  it.each(Object.entries(BROKEN))('finds that %s', async (_, broken) => {
    expect(await failures({ ...sound, ...broken })).not.toEqual([]);
  });

  it('finds that the items of a transaction are written although the record is in the way', async () => {
    const written = new Set<string>();
    const apply = (items: readonly string[]) => {
      for (const item of items) {
        if (item === 'refused') throw new Error('refused');
        written.add(item);
      }
    };
    const store = memoryStore<string>({ apply });
    const careless: RecordStore<string> = {
      ...store,
      transact: async (record, expected, items) => {
        apply(items);
        if (!record) return { done: true };
        return expected === undefined ? store.insert(record) : store.replace(record, expected);
      },
    };
    const transactions = {
      write: (name: string) => name,
      refused: () => 'refused',
      isWritten: (name: string) => written.has(name),
    };
    expect(await failures(careless, { transactions })).toContain(
      'a transaction writes nothing for another owner, and answers with the record before it looks at the items',
    );
  });

  it('asks for transactions only where it is told how to write with them', () => {
    const names = [...storeConformance(() => memoryStore())].map(({ name }) => name);
    expect(names.filter((name) => name.includes('transaction'))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});
