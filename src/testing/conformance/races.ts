import { equal as same } from 'node:assert/strict';
import { type Check, completed, holds, inProgress, inserted } from './records.ts';

const INSERTS = 50;
const TAKEOVERS = 20;

const times = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index));

export const RACE_CHECKS: Readonly<Record<string, Check>> = {
  'lets exactly one of 50 concurrent inserts win, and answers the others with its record': async (store) => {
    const { id } = inProgress();
    const records = times(INSERTS, () => inProgress({ id }));
    const answers = await Promise.all(records.map((record) => store.insert(record)));
    const winners = records.filter((_, index) => answers[index]?.done === true);
    same(winners.length, 1);
    await holds(store, id, winners[0]);
    for (const answer of answers) {
      if (!answer.done) same(answer.existing?.owner, winners[0]?.owner);
    }
  },
  'lets exactly one of 20 concurrent takeovers win, and answers the others with its record': async (store) => {
    const { id, owner, status, leaseUntil } = await inserted(store);
    const records = times(TAKEOVERS, () => inProgress({ id, attempt: 2 }));
    const answers = await Promise.all(records.map((record) => store.replace(record, { owner, status, leaseUntil })));
    const winners = records.filter((_, index) => answers[index]?.done === true);
    same(winners.length, 1);
    await holds(store, id, winners[0]);
    for (const answer of answers) {
      if (!answer.done) same(answer.existing?.owner, winners[0]?.owner);
    }
  },
  'never lets a late completion and a takeover both win': async (store) => {
    for (let round = 0; round < TAKEOVERS; round++) {
      const record = await inserted(store);
      const { id, owner, status, leaseUntil } = record;
      const [done, taken] = await Promise.all([
        store.replace(completed(record, { type: 'RETURNED', json: '1' }), { owner, status }),
        store.replace(inProgress({ id, attempt: 2 }), { owner, status, leaseUntil }),
      ]);
      same([done, taken].filter((answer) => answer.done).length, 1);
    }
  },
};
