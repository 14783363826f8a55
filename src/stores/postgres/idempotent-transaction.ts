import type { Identity } from '../../core/record/record.ts';
import type { Runtime } from '../../core/runtime.ts';
import { optionError } from '../../errors.ts';
import { functionFormat } from '../../function/format.ts';
import { type IdempotentFunction, remainingAmong, unwrap } from '../../function.ts';
import { OPERATION_OPTION_NAMES, type OperationOptions, resolveOperation } from '../../operation.ts';
import { requireOperation } from '../../request-key/request-options.ts';
import { systemRuntime } from '../../runtime.ts';
import type { PlanContext } from '../../transaction.ts';
import type { PostgresStore } from './store.ts';
import { createWorker } from './work.ts';

/** The options of `idempotent`, without those of a lease: there is none. */
export interface SqlTransactionOptions<Args extends readonly unknown[], Tx>
  extends Omit<
    OperationOptions<Args>,
    'store' | 'leaseMillis' | 'settle' | 'onMissingKey' | 'allowDisabling' | 'migrateFrom'
  > {
  readonly store: PostgresStore<Tx>;
}

/** Work in a transaction: every effect goes through `tx`. */
export type SqlWork<Tx, Args extends readonly unknown[], Response> = (
  tx: Tx,
  context: PlanContext,
  ...args: Args
) => Response;

/**
 * Exactly once in one transaction of PostgreSQL. The record is inserted first: that lock is the claim. Then the work runs, its
 * response is written, and all of it commits or nothing. A duplicate gets the response, or is `IN_FLIGHT` after
 * `lockTimeoutMillis`. There is no lease, no takeover and no unknown outcome.
 *
 * Effects outside of `tx` are not part of it. The work runs again after a deadlock or a serialization failure. What it throws is
 * thrown as it is: all of it is rolled back, and nothing is recorded.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 * @throws IdempotencyError when called: see `IdempotencyErrorCode`. `STORE_UNAVAILABLE` when COMMIT got no answer: all of it is
 *   there, or nothing, and a retry finds out
 */
export function idempotentTransaction<Tx, Work extends SqlWork<Tx, never, unknown>>(
  work: Work,
  options: SqlTransactionOptions<ArgsOf<Work>, Tx>,
): IdempotentFunction<ArgsOf<Work>, ReturnType<Work>> {
  return createSqlTransaction(work as never, options as never, systemRuntime) as never;
}

type ArgsOf<Work> = Work extends (tx: never, context: PlanContext, ...args: infer Args) => unknown ? Args : never;

const NO_OPTIONS = ['leaseMillis', 'settle', 'onMissingKey', 'allowDisabling', 'migrateFrom'];
const KNOWN_OPTIONS = OPERATION_OPTION_NAMES.filter((name) => !NO_OPTIONS.includes(name));

/** `idempotentTransaction` with the clock, the randomness and the timers passed in. @internal */
export function createSqlTransaction(
  work: SqlWork<never, readonly unknown[], unknown>,
  options: SqlTransactionOptions<never, never>,
  runtime: Runtime,
): (...args: readonly unknown[]) => Promise<unknown> {
  if (typeof work !== 'function') throw new TypeError('idempotentTransaction(work, options): work must be a function');
  const { operation, protocol, identityOf } = resolveOperation(options as OperationOptions<never>, KNOWN_OPTIONS);
  requireOperation(operation);
  const { store } = options;
  if (typeof store.transactWork !== 'function') throw optionError('store', 'must be a postgresStore({ client })');
  const run = createWorker(protocol, store, runtime);

  return async function idempotentTransaction(...args) {
    // `onMissingKey` is no option here: there is a key.
    const identity = identityOf({ args }) as Identity;
    const { deriveKey } = identity;
    return unwrap(
      await run({
        identity,
        remaining: remainingAmong(args),
        format: functionFormat,
        work: async (tx) => work(tx, { deriveKey }, ...args),
      }),
    );
  };
}
