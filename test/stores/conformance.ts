import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CompletedRecord, IdempotencyRecord, InProgressRecord, RecordStore } from '../../src/index.ts';
import { decoded } from '../support/decoded.ts';

const EXPIRATION = 2_500_000_000;

function inProgress(changes: Partial<InProgressRecord> = {}): InProgressRecord {
  return {
    id: `op#${randomUUID()}`,
    status: 'IN_PROGRESS',
    owner: randomUUID(),
    attempt: 1,
    leaseUntil: 2_400_000_000_000,
    expiration: EXPIRATION,
    fingerprint: 'fp',
    ...changes,
  };
}

function completed({ id, owner, attempt }: IdempotencyRecord, outcome: CompletedRecord['outcome']): CompletedRecord {
  return { id, status: 'COMPLETED', owner, attempt, expiration: EXPIRATION, outcome };
}

/** What every store must do. Called by each store's own test, with the real backend. */
export function describeStore(name: string, makeStore: () => RecordStore, { hidesReasons = false } = {}): void {
  describe(`the store contract: ${name}`, () => {
    let store: RecordStore;
    beforeAll(() => {
      store = makeStore();
    });

    const inserted = async (changes: Partial<InProgressRecord> = {}) => {
      const record = inProgress(changes);
      expect(await store.insert(record)).toEqual({ done: true });
      return record;
    };

    it('reads nothing where there is nothing', async () => {
      expect(await store.read('op#absent')).toBeUndefined();
    });

    it('reads back what was inserted', async () => {
      const record = await inserted();
      expect(await store.read(record.id)).toEqual(record);
    });

    it('keeps a record without a fingerprint as one without', async () => {
      const { fingerprint: _, ...record } = inProgress();
      await store.insert(record);
      expect(await store.read(record.id)).toEqual(record);
    });

    it('inserts once, and answers the second with the record in the way', async () => {
      const record = await inserted();
      expect(await store.insert(inProgress({ id: record.id }))).toEqual({ done: false, existing: record });
      expect(await store.read(record.id)).toEqual(record);
    });

    it('lets exactly one of 50 concurrent inserts win', async () => {
      const id = `op#${randomUUID()}`;
      const answers = await Promise.all(Array.from({ length: 50 }, () => store.insert(inProgress({ id }))));
      expect(answers.filter((answer) => answer.done)).toHaveLength(1);
    });

    it.each<CompletedRecord['outcome']>([
      { type: 'RETURNED', json: '{"ok":true,"text":"häß \\ud800 \\u0000"}' },
      { type: 'RETURNED', json: '""' },
      { type: 'RETURNED' },
      { type: 'THREW', json: '{"error":{"name":"Error","message":"no"}}' },
      { type: 'NOT_REPLAYABLE', reason: 'it is a stream' },
    ])('keeps the outcome %j', async (outcome) => {
      const record = await inserted();
      const done = completed(record, outcome);
      expect(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
      const kept =
        hidesReasons && outcome.type === 'NOT_REPLAYABLE' ? { ...outcome, reason: expect.any(String) } : outcome;
      expect(await store.read(record.id)).toEqual({ ...done, outcome: kept });
    });

    it('keeps that an outcome may still be replaced', async () => {
      const record = await inserted();
      const done = { ...completed(record, { type: 'RETURNED', json: '1' }), revision: 1 } as const;
      expect(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
      expect(await store.read(record.id)).toEqual(done);
      expect(await store.insert(inProgress({ id: record.id }))).toEqual({ done: false, existing: done });
    });

    it('replaces an outcome that was replaced meanwhile only where nobody says how often', async () => {
      const record = await inserted();
      const { owner } = record;
      const done = { ...completed(record, { type: 'RETURNED', json: '1' }), revision: 2 } as const;
      expect(await store.replace(done, { owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
      const later = { ...completed(record, { type: 'RETURNED', json: '2' }), revision: 3 };
      for (const revision of [1, 3]) {
        const answer = await store.replace(later, { owner, status: 'COMPLETED', revision });
        expect(answer).toEqual({ done: false, existing: done });
      }
      expect(await store.replace(later, { owner, status: 'COMPLETED', revision: 2 })).toEqual({ done: true });
      const { revision: _, ...final } = completed(record, { type: 'RETURNED', json: '3' });
      expect(await store.replace(final, { owner, status: 'COMPLETED' })).toEqual({ done: true });
      expect(await store.replace(later, { owner, status: 'COMPLETED', revision: 3 })).toMatchObject({ done: false });
      expect(await store.read(record.id)).toEqual(final);
    });

    it('keeps an outcome of the size that it says it can hold', async () => {
      const json = JSON.stringify('x'.repeat((store.maxOutcomeBytes ?? 1_000_000) - 2));
      const record = await inserted({ id: 'o'.repeat(1024) + randomUUID(), fingerprint: 'f'.repeat(43) });
      const done = { ...completed(record, { type: 'RETURNED', json }), fingerprint: 'f'.repeat(43) };
      expect(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
    });

    it('keeps a released record', async () => {
      const { leaseUntil: _, ...record } = await inserted();
      const released = { ...record, status: 'RELEASED' } as const;
      expect(await store.replace(released, { owner: record.owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
      expect(await store.read(record.id)).toEqual(released);
    });

    it('keeps checkpoints, whatever their names, of a record in progress and of a released one', async () => {
      const checkpoints = {
        reserve: '{"result":{"id":"häß"}}',
        constructor: '{}',
        toString: '{"result":null}',
        ' ': '""',
      };
      const record = await inserted({ checkpoints });
      expect(await decoded(await store.read(record.id))).toEqual(record);
      const answer = await store.insert(inProgress({ id: record.id }));
      expect(answer.done || (await decoded(answer.existing))).toEqual(record);
      const { leaseUntil: _, ...rest } = record;
      const released = { ...rest, status: 'RELEASED' } as const;
      expect(await store.replace(released, { owner: record.owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
      expect(await decoded(await store.read(record.id))).toEqual(released);
    });

    describe.each(['replace', 'remove'] as const)('%s', (verb) => {
      const write = (record: IdempotencyRecord, expected: Parameters<RecordStore['remove']>[1]) =>
        verb === 'remove'
          ? store.remove(record.id, expected)
          : store.replace(completed(record, { type: 'RETURNED', json: '1' }), expected);

      it('leaves the record of another owner as it is, and answers with it', async () => {
        const record = await inserted();
        const answer = await write(record, { owner: 'somebody else', status: 'IN_PROGRESS' });
        expect(answer).toEqual({ done: false, existing: record });
        expect(await store.read(record.id)).toEqual(record);
      });

      it('leaves a record in another state as it is, and answers with it', async () => {
        const record = await inserted();
        const answer = await write(record, { owner: record.owner, status: 'COMPLETED' });
        expect(answer).toEqual({ done: false, existing: record });
        expect(await store.read(record.id)).toEqual(record);
      });

      it('leaves a record whose lease was extended as it is', async () => {
        const record = await inserted();
        const { owner, status } = record;
        const answer = await write(record, { owner, status, leaseUntil: record.leaseUntil - 1 });
        expect(answer).toEqual({ done: false, existing: record });
        expect(await write(record, { owner, status, leaseUntil: record.leaseUntil })).toEqual({ done: true });
      });

      it('writes nothing where there is nothing', async () => {
        const record = inProgress();
        const answer = await write(record, { owner: record.owner, status: 'IN_PROGRESS' });
        expect(answer).toEqual({ done: false, existing: undefined });
        expect(await store.read(record.id)).toBeUndefined();
      });
    });

    it('removes a record that is as expected', async () => {
      const record = await inserted();
      expect(await store.remove(record.id, { owner: record.owner, status: 'IN_PROGRESS' })).toEqual({ done: true });
      expect(await store.read(record.id)).toBeUndefined();
    });

    it('lets exactly one of 20 concurrent takeovers win', async () => {
      const { id, owner, status, leaseUntil } = await inserted();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => store.replace(inProgress({ id, attempt: 2 }), { owner, status, leaseUntil })),
      );
      expect(answers.filter((answer) => answer.done)).toHaveLength(1);
    });

    it('does not hide a record that is past its retention: that is decided elsewhere', async () => {
      // What expired more than five years ago, DynamoDB never deletes (AWS: "Using time to live (TTL) in DynamoDB").
      const record = await inserted({ expiration: Date.UTC(2001, 0, 1) / 1000 });
      expect(await store.insert(inProgress({ id: record.id }))).toMatchObject({ done: false });
    });

    it('hands out records that a later change of the given one does not reach', async () => {
      const record = { ...inProgress() } as { -readonly [K in keyof InProgressRecord]: InProgressRecord[K] };
      await store.insert(record);
      const { owner } = record;
      record.owner = 'changed later';
      expect(await store.read(record.id)).toMatchObject({ owner });
    });
  });
}
