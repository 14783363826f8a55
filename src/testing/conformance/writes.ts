import type { CompletedRecord, IdempotencyRecord, InProgressRecord } from '../../core/record/record.ts';
import type { Expected, RecordStore } from '../../core/record/store.ts';
import { type Check, completed, equal, holds, inProgress, inserted, isConflict, isDone } from './records.ts';

const CHECKPOINTS = {
  reserve: '{"result":{"id":"häß"}}',
  constructor: '{}',
  toString: '{"result":null}',
  ' ': '""',
  'a.b$c\u0000\'"': '{"result":"\\u0000"}',
};

const RECORDS: Readonly<Record<string, Check>> = {
  'reads nothing where there is nothing': async (store) => {
    await holds(store, 'op#absent', undefined);
  },
  'reads back what was inserted': async (store) => {
    const record = await inserted(store);
    await holds(store, record.id, record);
  },
  'keeps a record without a fingerprint as one without': async (store) => {
    const record = await inserted(store, { fingerprint: undefined });
    await holds(store, record.id, record);
  },
  'keeps a lease to a fraction of a millisecond': async (store) => {
    const record = await inserted(store, { leaseUntil: 2_400_000_000_000.125 });
    await holds(store, record.id, record);
    const { owner, status, leaseUntil } = record;
    isDone(await store.remove(record.id, { owner, status, leaseUntil }));
  },
  'takes ids and owners as data, whatever is written in them': async (store) => {
    for (const text of ["'; --", '"', '}{', '%s $1 :id', '\\', 'ß€\u{1f600}', ' ', '*', 'NULL']) {
      const record = await inserted(store, { id: `${text}${inProgress().id}`, owner: text, fingerprint: text });
      await holds(store, record.id, record);
      await isConflict(await store.remove(record.id, { owner: `${text}.`, status: 'IN_PROGRESS' }), record);
      isDone(await store.remove(record.id, { owner: text, status: 'IN_PROGRESS' }));
      await holds(store, record.id, undefined);
    }
  },
  'tells ids apart that differ in case or in a space alone': async (store) => {
    const { id } = await inserted(store);
    for (const other of [id.toUpperCase(), `${id} `, ` ${id}`]) {
      isDone(await store.insert(inProgress({ id: other })));
    }
  },
  'inserts once, and answers the second with the record in the way': async (store) => {
    const record = await inserted(store);
    await isConflict(await store.insert(inProgress({ id: record.id })), record);
    await holds(store, record.id, record);
  },
  'keeps a released record': async (store) => {
    const { leaseUntil: _, ...record } = await inserted(store);
    const released = { ...record, status: 'RELEASED' } as const;
    isDone(await store.replace(released, { owner: record.owner, status: 'IN_PROGRESS' }));
    await holds(store, record.id, released);
  },
  'keeps checkpoints, whatever their names, of a record in progress and of a released one': async (store) => {
    const record = await inserted(store, { checkpoints: CHECKPOINTS });
    await holds(store, record.id, record);
    await isConflict(await store.insert(inProgress({ id: record.id })), record);
    const { leaseUntil: _, ...rest } = record;
    const released = { ...rest, status: 'RELEASED' } as const;
    isDone(await store.replace(released, { owner: record.owner, status: 'IN_PROGRESS' }));
    await holds(store, record.id, released);
  },
  'keeps nothing of the record that it replaces': async (store) => {
    const record = await inserted(store, { checkpoints: CHECKPOINTS });
    const { owner, status } = record;
    const next: InProgressRecord = { ...inProgress({ id: record.id }), fingerprint: undefined, attempt: 2 };
    isDone(await store.replace(next, { owner, status }));
    await holds(store, record.id, next);
    const done: CompletedRecord = {
      ...completed(next, { type: 'RETURNED', json: '1' }),
      revision: 1,
      transaction: 't',
    };
    isDone(await store.replace(done, { owner: next.owner, status }));
    const again = inProgress({ id: record.id, attempt: 3 });
    isDone(await store.replace(again, { owner: next.owner, status: 'COMPLETED' }));
    await holds(store, record.id, again);
  },
  'does not hide a record that is past its retention: that is decided elsewhere': async (store) => {
    // What expired more than five years ago, DynamoDB never deletes (AWS: "Using time to live (TTL) in DynamoDB").
    const record = await inserted(store, { expiration: Date.UTC(2001, 0, 1) / 1000 });
    await isConflict(await store.insert(inProgress({ id: record.id })), record);
  },
  'hands out records that a later change of the given one does not reach': async (store) => {
    const record = { ...inProgress() } as { -readonly [K in keyof InProgressRecord]: InProgressRecord[K] };
    isDone(await store.insert(record));
    const before = { ...record };
    record.owner = 'changed later';
    await holds(store, record.id, before);
  },
};

type Write = (
  store: RecordStore<never>,
  record: IdempotencyRecord,
  expected: Expected,
) => ReturnType<typeof store.remove>;

const WRITES: Readonly<Record<string, Write>> = {
  replace: (store, record, expected) => store.replace(completed(record, { type: 'RETURNED', json: '1' }), expected),
  remove: (store, record, expected) => store.remove(record.id, expected),
};

const CONDITIONS: Readonly<Record<string, (store: RecordStore<never>, write: Write) => Promise<void>>> = {
  'leaves the record of another owner as it is, and answers with it': async (store, write) => {
    const record = await inserted(store);
    await isConflict(await write(store, record, { owner: 'another', status: 'IN_PROGRESS' }), record);
    await holds(store, record.id, record);
  },
  'leaves a record in another state as it is, and answers with it': async (store, write) => {
    const record = await inserted(store);
    await isConflict(await write(store, record, { owner: record.owner, status: 'COMPLETED' }), record);
    await holds(store, record.id, record);
  },
  'leaves a record whose lease was extended as it is': async (store, write) => {
    const record = await inserted(store);
    const { owner, status, leaseUntil } = record;
    await isConflict(await write(store, record, { owner, status, leaseUntil: leaseUntil - 1 }), record);
    isDone(await write(store, record, { owner, status, leaseUntil }));
  },
  'leaves a record without a lease as it is where a lease is expected': async (store, write) => {
    const { leaseUntil, ...record } = await inserted(store);
    const { owner } = record;
    const released = { ...record, status: 'RELEASED' } as const;
    isDone(await store.replace(released, { owner, status: 'IN_PROGRESS' }));
    await isConflict(await write(store, released, { owner, status: 'RELEASED', leaseUntil }), released);
    isDone(await write(store, released, { owner, status: 'RELEASED' }));
  },
  'writes nothing where there is nothing': async (store, write) => {
    const record = inProgress();
    await isConflict(await write(store, record, { owner: record.owner, status: 'IN_PROGRESS' }), undefined);
    await holds(store, record.id, undefined);
  },
};

export const WRITE_CHECKS: Readonly<Record<string, Check>> = {
  ...RECORDS,
  ...Object.fromEntries(
    Object.entries(WRITES).flatMap(([verb, write]) =>
      Object.entries(CONDITIONS).map(([name, check]) => [
        `${verb} ${name}`,
        (store: RecordStore<never>) => check(store, write),
      ]),
    ),
  ),
  'removes a record that is as expected': async (store) => {
    const record = await inserted(store);
    isDone(await store.remove(record.id, { owner: record.owner, status: 'IN_PROGRESS' }));
    equal(await store.read(record.id), undefined);
  },
};
