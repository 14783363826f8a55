import { setImmediate as nextTurn } from 'node:timers/promises';
import { storeConformance } from 'middy-idempotency/testing';
import { describe, it } from 'vitest';
import type { RecordStore } from '../../src/core/record/store.ts';
import type { SqlClient } from './effects.ts';
import type { Question } from './network.ts';
import { RedisServer } from './redis-server.ts';
import { simulatedRedisStore } from './redis-wire.ts';
import { SqlServer } from './sql-server.ts';
import { sqlStore } from './sql-wire.ts';
import type { World } from './world.ts';

/** More than another transaction of these tests takes. */
const LOCK_TURNS = 100;

/** Nothing is late or lost: a statement that waits goes on after a while. */
const punctual = {
  plan: {},
  currentCall: () => ({
    plan: { script: {} },
    record: () => undefined,
    process: { runtime: { delay: () => ({ elapsed: new Promise(() => undefined), cancel: () => undefined }) } },
  }),
  network: {
    async ask<T>({ apply }: Question<T>): Promise<T> {
      let applied = apply();
      for (let turn = 0; 'waits' in applied && turn < LOCK_TURNS; turn++) await nextTurn();
      if ('waits' in applied) applied = apply();
      await nextTurn();
      if ('answer' in applied) return applied.answer;
      throw new Error('it waits twice');
    },
  },
} as unknown as World;

/** Megabytes take a Lua in JavaScript many seconds. */
const IS_LARGE = /of the size that it says/;

function describeModel(name: string, store: RecordStore<never>, options: object = {}): void {
  describe(`the store contract: ${name}`, () => {
    for (const { name: rule, run } of storeConformance(() => store, options)) {
      if (!IS_LARGE.test(rule)) it(rule, run);
    }
  });
}

const sql = new SqlServer();
const effect = (column: string, name: string | null) => (tx: SqlClient) =>
  tx.query(`insert into effects (${column}) values ($1)`, [name]);
describeModel('the simulated PostgreSQL', sqlStore(punctual, sql, () => true) as RecordStore<never>, {
  transactions: {
    write: (name: string) => effect('name', name),
    refused: () => effect('name', null),
    isWritten: async (name: string) => sql.hasEffect(name),
  },
});

const redis = new RedisServer(() => Date.now());
describeModel('the simulated Redis', simulatedRedisStore(punctual, redis) as RecordStore<never>);
