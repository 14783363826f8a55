import type { IdempotencyError } from '../errors.ts';
import type { Outcome } from './outcome.ts';
import type { Refused, Settled } from './settling.ts';
import type { RecordStore } from './store.ts';
import { storeFailure, unfinished } from './store-failure.ts';

export interface FinishContext {
  readonly store: RecordStore;
  readonly completeNow: (outcome: Outcome) => Promise<Settled>;
  readonly writeTogether: (outcome: Outcome, items: readonly never[]) => Promise<Settled | Refused>;
  /** @throws IdempotencyError when no effect may begin any more */
  readonly assertMayGoOn: () => void;
  /** From now on nothing is at stake in the record. */
  readonly onCompleted: () => void;
  readonly lost: () => IdempotencyError;
}

/** How the guarded code itself stores its outcome, before its end. */
export function createFinishing({
  store,
  completeNow,
  writeTogether,
  assertMayGoOn,
  onCompleted,
  lost,
}: FinishContext) {
  let state: 'open' | 'storing' | 'completed' | 'unknown' = 'open';

  return {
    isCompleted: () => state === 'completed',

    async complete(response: Outcome): Promise<void> {
      assertMayGoOn();
      await finish(() => completeNow(response));
    },

    async transact(items: readonly never[], response: Outcome): Promise<void> {
      if (store.transact === undefined) {
        throw new TypeError('transact(items, response): this store has no transactions; dynamoDBStore has');
      }
      if (!Array.isArray(items) || items.length === 0) {
        throw new TypeError('transact(items, response): items must be a list of writes; without any, use complete');
      }
      assertMayGoOn();
      if (state !== 'open') {
        // The record would not tell whether these items were written or only an outcome before them.
        throw new TypeError('transact(items, response): the outcome is stored already, or may be');
      }
      const settled = await finish(() => writeTogether(response, items));
      if (settled.kind === 'refused') throw settled.error;
    },
  };

  async function finish<T extends Settled | Refused>(write: () => Promise<T>): Promise<T> {
    const before = state;
    if (state === 'open') state = 'storing';
    let settled: T;
    try {
      settled = await write();
    } catch (error) {
      const failure = storeFailure(error);
      // A refusal has certainly written nothing. Whether anything else has, the record knows.
      if (before !== 'completed') state = failure.retryable === false ? before : 'unknown';
      throw unfinished(failure);
    }
    if (settled.kind !== 'done' && settled.kind !== 'refused') throw lost();
    state = settled.kind === 'done' ? 'completed' : 'open';
    if (settled.kind === 'done') onCompleted();
    return settled;
  }
}
