import type { CompletedRecord, InProgressRecord } from '../../core/record/record.ts';
import type { Expected, RecordStore, TransactionResult, WriteResult } from '../../core/record/store.ts';
import type { Ask, Connection } from './client.ts';
import { isAnswered, isTransient, unavailable } from './failure.ts';
import { MAX_TRIES, type Verbs } from './verbs.ts';

/** What a store in PostgreSQL can do in a transaction. */
export interface SqlTransactions<Tx = unknown> extends Required<Pick<RecordStore<SqlItem<Tx>>, 'transact'>> {
  /**
   * Claims the record, does the work and completes the record, in one transaction. Until it ends, other claims of the record
   * wait for it, up to `lockTimeoutMillis`. It is what `idempotentTransaction` uses.
   *
   * @param work Answers the completed record. It runs again where a deadlock or a serialization failure rolled it back
   * @returns `itemsError` is what `work` threw
   */
  transactWork(
    claim: InProgressRecord,
    expected: Expected | undefined,
    work: (tx: Tx) => Promise<CompletedRecord>,
  ): Promise<TransactionResult>;
}

/** A write of a transaction: it gets the transaction's client, and its promise ends when all is written. */
export type SqlItem<Tx = unknown> = (tx: Tx) => unknown;

interface Context {
  readonly connection: Connection;
  readonly verbs: Verbs;
  readonly table: string;
}

interface Parts {
  /** The write of the record, whose lock is the claim. */
  readonly claim: (ask: Ask) => Promise<WriteResult>;
  /** The user's own code. */
  readonly work: (tx: never) => Promise<void>;
  /** The last statement: it fails if the user's code has hidden that an earlier one has failed. */
  readonly end: (ask: Ask) => Promise<unknown>;
}

export function transactionsOf(context: Context): SqlTransactions {
  const { verbs } = context;
  return {
    async transact(record, expected, items) {
      const wrong = items.findIndex((item) => typeof item !== 'function');
      if (wrong >= 0) {
        const itemsError = new TypeError(`transact: item ${wrong} must be a function: async (tx) => { … }`);
        return { done: false, itemsError };
      }
      const transaction = inTransaction(context, {
        claim: async (ask) => {
          if (!record) return { done: true };
          return expected === undefined ? verbs.insert(ask, record) : verbs.replace(ask, record, expected);
        },
        async work(tx) {
          for (const item of items) await item(tx);
        },
        end: (ask) => ask("select '' as answer", []),
      });
      return record ? transaction : transaction.catch((itemsError) => ({ done: false, itemsError }) as const);
    },

    async transactWork(claim, expected, work) {
      let completed: CompletedRecord | undefined;
      return inTransaction(context, {
        claim: (ask) => (expected === undefined ? verbs.insert(ask, claim) : verbs.replace(ask, claim, expected)),
        async work(tx) {
          completed = await work(tx);
        },
        async end(ask) {
          const { owner, status } = claim;
          const { done } = await verbs.replace(ask, completed as CompletedRecord, { owner, status });
          if (!done) throw new Error('the transaction itself has changed its record');
        },
      });
    },
  };
}

async function inTransaction(context: Context, parts: Parts): Promise<TransactionResult> {
  for (let tries = 1; ; tries++) {
    const result = await attempt(context, parts);
    if (!('itemsError' in result) || tries === MAX_TRIES || !isRolledBack(result.itemsError)) return result;
  }
}

/** The user's own code may have wrapped the error. */
function isRolledBack(error: unknown): boolean {
  return isTransient(error) || isTransient((error as { cause?: unknown } | null | undefined)?.cause);
}

/** @throws IdempotencyError `STORE_UNAVAILABLE`; without an answer to COMMIT it is not known what was written */
async function attempt({ connection, table }: Context, { claim, work, end }: Parts): Promise<TransactionResult> {
  let conflict: WriteResult | undefined;
  let isClaimed = false;
  let own: { readonly error: unknown } | undefined;
  try {
    await connection.transaction(async (tx, ask) => {
      const claimed = await claim(ask);
      if (!claimed.done) {
        conflict = claimed;
        throw ROLL_BACK;
      }
      isClaimed = true;
      try {
        await work(tx);
      } catch (error) {
        own = { error };
        throw error;
      }
      await end(ask);
    });
    return { done: true };
  } catch (error) {
    if (conflict !== undefined) return conflict;
    // Any other error than the user's own says that the rollback got no answer. Then COMMIT was not sent, and nothing is written.
    if (own !== undefined && (own.error === error || isAnswered(error))) return { done: false, itemsError: own.error };
    // PostgreSQL refused the COMMIT: a deferred constraint, for example.
    if (isClaimed && own === undefined && isAnswered(error)) return { done: false, itemsError: error };
    throw unavailable(error, table);
  }
}

const ROLL_BACK = new Error('the record is in the way');
