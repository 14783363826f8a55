import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CompletedRecord, InProgressRecord, RecordStore } from '../../src/index.ts';

/** How a test writes with the transactions of a store, and looks at what they have written. */
export interface Writes<TItem> {
  /** A write under this name. */
  write(name: string): TItem;
  /** A write that the store refuses. */
  refused(): TItem;
  /** Whether the write under this name has been done. */
  isWritten(name: string): Promise<boolean>;
}

/** What every store with transactions must do. Called by each store's own test, with the real backend. */
export function describeTransactions<TItem>(
  name: string,
  makeStore: () => RecordStore<TItem>,
  { write, refused, isWritten }: Writes<TItem>,
): void {
  describe(`the contract of transactions: ${name}`, () => {
    let store: RecordStore<TItem>;
    beforeAll(() => {
      store = makeStore();
    });

    const inserted = async () => {
      const record: InProgressRecord = {
        id: `op#${randomUUID()}`,
        status: 'IN_PROGRESS',
        owner: randomUUID(),
        attempt: 1,
        leaseUntil: 2_400_000_000_000,
        expiration: 2_500_000_000,
      };
      expect(await store.insert(record)).toEqual({ done: true });
      return record;
    };
    const completed = ({ id, owner, attempt, expiration }: InProgressRecord, transaction: string): CompletedRecord => ({
      id,
      status: 'COMPLETED',
      owner,
      attempt,
      expiration,
      outcome: { type: 'RETURNED', json: '"paid"' },
      revision: 1,
      transaction,
    });
    const transact = async (record: CompletedRecord, expected: InProgressRecord, items: readonly TItem[]) =>
      store.transact?.(record, { owner: expected.owner, status: expected.status }, items, record.transaction ?? '');

    it('writes the record and every item', async () => {
      const record = await inserted();
      const done = completed(record, randomUUID());
      const [one, other] = [randomUUID(), randomUUID()];
      expect(await transact(done, record, [write(one), write(other)])).toEqual({ done: true });
      expect(await store.read(record.id)).toEqual(done);
      expect([await isWritten(one), await isWritten(other)]).toEqual([true, true]);
    });

    it('writes nothing when it refuses an item, and answers with the reason', async () => {
      const record = await inserted();
      const one = randomUUID();
      const answer = await transact(completed(record, randomUUID()), record, [write(one), refused()]);
      expect(answer).toEqual({ done: false, itemsError: expect.any(Error) });
      expect(await store.read(record.id)).toEqual(record);
      expect(await isWritten(one)).toBe(false);
    });

    it('writes nothing for another owner, and answers with the record before it looks at the items', async () => {
      const record = await inserted();
      const one = randomUUID();
      const another = { ...record, owner: 'another' };
      const answer = await transact(completed(record, randomUUID()), another, [write(one), refused()]);
      expect(answer).toEqual({ done: false, existing: record });
      expect(await store.read(record.id)).toEqual(record);
      expect(await isWritten(one)).toBe(false);
    });

    it('answers a transaction that is sent again with success, or with the record that has its token', async () => {
      const record = await inserted();
      const done = completed(record, randomUUID());
      const one = randomUUID();
      expect(await transact(done, record, [write(one)])).toEqual({ done: true });
      const again = await transact(done, record, [write(one)]);
      expect(again).toEqual(again?.done === true ? { done: true } : { done: false, existing: done });
    });

    it('lets exactly one of 10 concurrent transactions win', async () => {
      const record = await inserted();
      const names = Array.from({ length: 10 }, () => randomUUID());
      await Promise.allSettled(names.map((one) => transact(completed(record, one), record, [write(one)])));
      const written = await Promise.all(names.map(isWritten));
      expect(written.filter(Boolean)).toHaveLength(1);
      const winner = names[written.indexOf(true)];
      expect(await store.read(record.id)).toMatchObject({ status: 'COMPLETED', transaction: winner });
    });
  });
}
