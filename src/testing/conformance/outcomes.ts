import { ok } from 'node:assert/strict';
import type { StoredOutcome } from '../../core/record/record.ts';
import { type Check, completed, equal, holds, inProgress, inserted, isConflict, isDone } from './records.ts';

const OUTCOMES: Readonly<Record<string, StoredOutcome>> = {
  'a response': { type: 'RETURNED', json: '{"ok":true,"text":"häß \\ud800 \\u0000"}' },
  'an empty text': { type: 'RETURNED', json: '""' },
  undefined: { type: 'RETURNED' },
  'an error': { type: 'THREW', json: '{"error":{"name":"Error","message":"no"}}' },
  'done without a response': { type: 'NOT_REPLAYABLE', reason: 'it is a stream' },
};

const keeps =
  (outcome: StoredOutcome): Check =>
  async (store, { hidesReasons = false }) => {
    const record = await inserted(store);
    const done = completed(record, outcome);
    isDone(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' }));
    const read = await store.read(record.id);
    if (!hidesReasons || outcome.type !== 'NOT_REPLAYABLE') return equal(read, done);
    ok(read?.status === 'COMPLETED' && read.outcome.type === 'NOT_REPLAYABLE', 'the fact is kept');
  };

const LONG = 1_000_000;
const DIGEST_LENGTH = 43;
const LONGEST_OPERATION = 1024;

export const OUTCOME_CHECKS: Readonly<Record<string, Check>> = {
  ...Object.fromEntries(
    Object.entries(OUTCOMES).map(([name, outcome]) => [`keeps the outcome: ${name}`, keeps(outcome)]),
  ),
  'answers a reason of any characters with an outcome that is not replayable': async (store) => {
    const record = await inserted(store);
    const done = completed(record, { type: 'NOT_REPLAYABLE', reason: '\ud800 \u0000 \'"' });
    isDone(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' }));
    const read = await store.read(record.id);
    ok(read?.status === 'COMPLETED' && read.outcome.type === 'NOT_REPLAYABLE', 'the fact is kept');
  },
  'keeps that an outcome may still be replaced': async (store) => {
    const record = await inserted(store);
    const done = { ...completed(record, { type: 'RETURNED', json: '1' }), revision: 1 } as const;
    isDone(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' }));
    await holds(store, record.id, done);
    await isConflict(await store.insert(inProgress({ id: record.id })), done);
  },
  'replaces an outcome only where its revision is the expected one, or none is expected': async (store) => {
    const record = await inserted(store);
    const { owner } = record;
    const done = { ...completed(record, { type: 'RETURNED', json: '1' }), revision: 2 } as const;
    isDone(await store.replace(done, { owner, status: 'IN_PROGRESS' }));
    const later = { ...completed(record, { type: 'RETURNED', json: '2' }), revision: 3 };
    for (const revision of [1, 3]) {
      await isConflict(await store.replace(later, { owner, status: 'COMPLETED', revision }), done);
    }
    isDone(await store.replace(later, { owner, status: 'COMPLETED', revision: 2 }));
    const final = completed(record, { type: 'RETURNED', json: '3' });
    isDone(await store.replace(final, { owner, status: 'COMPLETED' }));
    await isConflict(await store.replace(later, { owner, status: 'COMPLETED', revision: 3 }), final);
    await holds(store, record.id, final);
  },
  'keeps an outcome of the size that it says it can hold': async (store) => {
    const json = JSON.stringify('x'.repeat((store.maxOutcomeBytes ?? LONG) - '""'.length));
    const fingerprint = 'f'.repeat(DIGEST_LENGTH);
    const record = await inserted(store, { id: 'o'.repeat(LONGEST_OPERATION) + inProgress().id, fingerprint });
    const done = { ...completed(record, { type: 'RETURNED', json }), fingerprint };
    isDone(await store.replace(done, { owner: record.owner, status: 'IN_PROGRESS' }));
    await holds(store, record.id, done);
  },
};
