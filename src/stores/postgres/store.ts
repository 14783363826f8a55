import { requireNumber } from '../../core/options.ts';
import type { RecordStore } from '../../core/record/store.ts';
import type { Connection } from './client.ts';
import type { Statements } from './statements.ts';
import { type SqlItem, type SqlTransactions, transactionsOf } from './transaction.ts';
import { answering, verbsOf } from './verbs.ts';

/** Records in a table of PostgreSQL, with what only PostgreSQL can do. `Tx` is the client of a transaction. */
export interface PostgresStore<Tx = unknown> extends Omit<RecordStore<SqlItem<Tx>>, 'transact'>, SqlTransactions<Tx> {
  /**
   * Deletes records whose retention ended more than an hour ago, in batches that hold few locks for a short time.
   *
   * @returns how many; fewer than `batchSize * maxBatches` when none is left
   * @throws IdempotencyError `STORE_UNAVAILABLE`
   */
  purgeExpired(options?: PurgeOptions): Promise<number>;
}

export interface PurgeOptions {
  /** Rows for each statement. @default 1000 */
  readonly batchSize?: number;
  /** @default 100 */
  readonly maxBatches?: number;
}

export interface StoreContext {
  readonly connection: Connection;
  readonly statements: Statements;
  /** As SQL. */
  readonly table: string;
  readonly lockTimeoutMillis: number;
}

/** A larger one would be held in memory several times on its way. Bytes. */
const MAX_OUTCOME_BYTES = 16 * 1024 * 1024;
const MAX_BATCH = 100_000;
const MAX_BATCHES = 1_000_000;

export function recordStore({ connection, statements, table, lockTimeoutMillis }: StoreContext): PostgresStore {
  const { ask } = connection;
  const verbs = verbsOf(statements, `${lockTimeoutMillis}ms`);
  const answered = <T>(verb: () => Promise<T>) => answering(table, verb);

  return {
    maxOutcomeBytes: MAX_OUTCOME_BYTES,
    insert: (record) => answered(() => verbs.insert(ask, record)),
    replace: (record, expected) => answered(() => verbs.replace(ask, record, expected)),
    remove: (id, expected) => answered(() => verbs.remove(ask, id, expected)),
    read: (id) => answered(() => verbs.read(ask, id)),
    ...transactionsOf({ connection, verbs, table }),

    async purgeExpired({ batchSize = 1000, maxBatches = 100 } = {}) {
      requireNumber('batchSize', batchSize, MAX_BATCH, 1);
      requireNumber('maxBatches', maxBatches, MAX_BATCHES, 1);
      let total = 0;
      for (let batch = 0; batch < maxBatches; batch++) {
        const { gone } = JSON.parse(await answered(() => ask(statements.purge, [String(Math.floor(batchSize))])));
        total += gone;
        if (gone < Math.floor(batchSize)) break;
      }
      return total;
    },
  };
}
