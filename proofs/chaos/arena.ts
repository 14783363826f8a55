import { startProxy } from '../../test/support/proxy.ts';
import { type TrueTime, watchWallClock } from './clock.ts';
import { startDatabase, TABLE_NAME } from './database.ts';
import type { Faults } from './faults.ts';
import { redisArena } from './redis-database.ts';
import { sqlArena } from './sql-database.ts';
import type { StoreName } from './store.ts';
import { createWitness, type Witness } from './witness.ts';

/** A database behind a proxy that makes faults, and what is known of it in the end. */
export interface Arena {
  /** Where clients connect. */
  readonly endpoint: string;
  readonly name: string;
  /** How many the proxy has met. */
  requests(): number;
  /** SIGKILL, and another one on the same data and port. Resolves when it answers again. */
  killAndRestart(): Promise<void>;
  /** What became of every write, and what the database did and must not do. */
  witness(): Promise<Pick<Witness, 'events' | 'violations'>>;
  stop(): Promise<void>;
}

export function startArena(store: StoreName, faults: Faults, time: TrueTime): Promise<Arena> {
  if (store === 'postgres') return sqlArena(faults, watchWallClock(time));
  return store === 'redis' ? redisArena(faults, watchWallClock(time)) : dynamoDBArena(faults, time);
}

/** Every request meets its fault at the proxy, and is seen by the witness. */
async function dynamoDBArena(faults: Faults, time: TrueTime): Promise<Arena> {
  const database = await startDatabase();
  const witness = createWitness(() => database.client, TABLE_NAME, time);
  let requests = 0;
  const proxy = await startProxy({
    upstream: () => database.endpoint,
    deliver(copy) {
      if (!database.isUp) throw new Error('the database is down');
      return witness.deliver(copy);
    },
    decide({ operation }) {
      requests++;
      const fault = faults.next();
      return fault === 'throttle' && operation === 'TransactWriteItems' ? 'conflict' : fault;
    },
  });
  return {
    endpoint: proxy.endpoint,
    name: 'DynamoDB Local',
    requests: () => requests,
    killAndRestart: () => database.killAndRestart(),
    async witness() {
      await witness.checkEffects();
      return witness;
    },
    async stop() {
      await proxy.close();
      await database.stop();
    },
  };
}
