import { requireNumber } from '../core/options.ts';
import { connectionOf, type PostgresClient, type TransactionClient } from './postgres/client.ts';
import { type PostgresTable, resolveTable } from './postgres/names.ts';
import { statementsFor } from './postgres/statements.ts';
import { type PostgresStore, recordStore } from './postgres/store.ts';

export type { Pglite, PgPool, PostgresClient, PostgresJs, TransactionClient } from './postgres/client.ts';
export {
  idempotentTransaction,
  type SqlTransactionOptions,
  type SqlWork,
} from './postgres/idempotent-transaction.ts';
export type { PostgresTable } from './postgres/names.ts';
export { postgresSchema } from './postgres/schema.ts';
export type { PostgresStore, PurgeOptions } from './postgres/store.ts';
export type { SqlItem } from './postgres/transaction.ts';

export interface PostgresStoreOptions<Client extends PostgresClient = PostgresClient> extends PostgresTable {
  /**
   * Your own client, with its own timeouts and TLS; it is not changed. A `Pool` of `pg`, what `postgres()` gives, or a `PGlite`.
   * Give it time limits: to connect, `statement_timeout`, and for an answer (`query_timeout` of `pg`). Without them a request that
   * hangs is given up only shortly before the lease ends, and a transaction that hangs keeps its lock.
   */
  readonly client: Client;
  /**
   * How long a claim waits for a transaction that has written the record and has not ended. Then it is `IN_FLIGHT`. It is the
   * `lock_timeout` of the store's own transactions, so it holds for the statements of `transact`, too. Milliseconds.
   * @default 1000
   */
  readonly lockTimeoutMillis?: number;
}

const MAX_LOCK_TIMEOUT_MILLIS = 3_600_000;

/**
 * Records in a table of PostgreSQL: one statement for each write, which answers what was in the way. The table is what
 * `postgresSchema()` makes. `transact` takes functions of the transaction's client: effect, outcome and record commit together.
 *
 * With `synchronous_commit` off, or after a failover to an asynchronous standby, PostgreSQL can lose a commit.
 *
 * @throws TypeError that names the wrong option
 */
export function postgresStore<Client extends PostgresClient>(
  options: PostgresStoreOptions<Client>,
): PostgresStore<TransactionClient<Client>> {
  const { table } = resolveTable(options, 'client', 'lockTimeoutMillis');
  const { client, lockTimeoutMillis = 1000 } = options;
  requireNumber('lockTimeoutMillis', lockTimeoutMillis, MAX_LOCK_TIMEOUT_MILLIS, 1);
  const connection = connectionOf(client);
  return recordStore({
    connection,
    statements: statementsFor(table),
    table,
    lockTimeoutMillis: Math.ceil(lockTimeoutMillis),
  }) as PostgresStore<TransactionClient<Client>>;
}
