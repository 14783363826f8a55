import { ok, equal as same } from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { CompletedRecord, IdempotencyRecord, InProgressRecord } from '../../core/record/record.ts';
import type { Expected, RecordStore, TransactionResult } from '../../core/record/store.ts';
import {
  type Check,
  type ConformanceOptions,
  completed,
  equal,
  holds,
  inProgress,
  inserted,
  isConflict,
  isDone,
  type TransactionProbe,
} from './records.ts';

const RACERS = 10;

function probeOf({ transactions }: ConformanceOptions<never>): TransactionProbe<never> {
  if (transactions === undefined) throw new TypeError('storeConformance: `transactions` is missing');
  return transactions;
}

const paid = (record: IdempotencyRecord, transaction: string): CompletedRecord => ({
  ...completed(record, { type: 'RETURNED', json: '"paid"' }),
  revision: 1,
  transaction,
});

async function transact(
  store: RecordStore<never>,
  record: CompletedRecord | undefined,
  expected: Expected | undefined,
  items: readonly never[],
): Promise<TransactionResult> {
  ok(store.transact, 'the store has a function `transact`');
  return store.transact(record, expected, items, record?.transaction ?? randomUUID());
}

const heldBy = ({ owner, status }: InProgressRecord): Expected => ({ owner, status });

export const TRANSACTION_CHECKS: Readonly<Record<string, Check>> = {
  'a transaction writes the record and every item': async (store, options) => {
    const { write, isWritten } = probeOf(options);
    const record = await inserted(store);
    const done = paid(record, randomUUID());
    const [one, other] = [randomUUID(), randomUUID()];
    isDone(await transact(store, done, heldBy(record), [write(one), write(other)]));
    await holds(store, record.id, done);
    equal([await isWritten(one), await isWritten(other)], [true, true]);
  },
  'a transaction writes the record and every item where there is no record, and none is expected': async (
    store,
    options,
  ) => {
    const { write, isWritten } = probeOf(options);
    const done = paid(inProgress(), randomUUID());
    const [one, other] = [randomUUID(), randomUUID()];
    isDone(await transact(store, done, undefined, [write(one)]));
    await holds(store, done.id, done);
    const second = { ...paid(done, randomUUID()), owner: randomUUID() };
    await isConflict(await transact(store, second, undefined, [write(other)]), done);
    equal([await isWritten(one), await isWritten(other)], [true, false]);
  },
  'a transaction writes nothing when the store refuses an item, and answers with the reason': async (
    store,
    options,
  ) => {
    const { write, refused, isWritten } = probeOf(options);
    const record = await inserted(store);
    const one = randomUUID();
    const answer = await transact(store, paid(record, randomUUID()), heldBy(record), [write(one), refused()]);
    ok('itemsError' in answer && answer.itemsError instanceof Error, 'the answer has the error of the items');
    await holds(store, record.id, record);
    same(await isWritten(one), false);
  },
  'a transaction writes nothing for another owner, and answers with the record before it looks at the items': async (
    store,
    options,
  ) => {
    const { write, refused, isWritten } = probeOf(options);
    const record = await inserted(store);
    const one = randomUUID();
    const another = { ...heldBy(record), owner: 'another' };
    const answer = await transact(store, paid(record, randomUUID()), another, [write(one), refused()]);
    await isConflict(answer, record);
    await holds(store, record.id, record);
    same(await isWritten(one), false);
  },
  'a transaction without a record writes the items alone, or answers with the reason why not': async (
    store,
    options,
  ) => {
    const { write, refused, isWritten } = probeOf(options);
    const [one, other] = [randomUUID(), randomUUID()];
    isDone(await transact(store, undefined, undefined, [write(one)]));
    const answer = await transact(store, undefined, undefined, [write(other), refused()]);
    ok('itemsError' in answer && answer.itemsError instanceof Error, 'the answer has the error of the items');
    equal([await isWritten(one), await isWritten(other)], [true, false]);
  },
  'a transaction that is sent again is answered with success, or with the record that has its token': async (
    store,
    options,
  ) => {
    const { write } = probeOf(options);
    const record = await inserted(store);
    const done = paid(record, randomUUID());
    const one = randomUUID();
    isDone(await transact(store, done, heldBy(record), [write(one)]));
    const again = await transact(store, done, heldBy(record), [write(one)]);
    if (!again.done) await isConflict(again, done);
  },
  'lets exactly one of 10 concurrent transactions win': async (store, options) => {
    const { write, isWritten } = probeOf(options);
    const record = await inserted(store);
    const names = Array.from({ length: RACERS }, () => randomUUID());
    await Promise.allSettled(names.map((one) => transact(store, paid(record, one), heldBy(record), [write(one)])));
    const written = await Promise.all(names.map((name) => isWritten(name)));
    same(written.filter(Boolean).length, 1);
    const read = await store.read(record.id);
    same(read?.status === 'COMPLETED' && read.transaction, names[written.indexOf(true)]);
  },
};
