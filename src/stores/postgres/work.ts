import { expirationAt, type RemainingMillis, timeBudget } from '../../core/budget.ts';
import { recordCache } from '../../core/cache.ts';
import { type Attempt, createContender, type Opening } from '../../core/claim/contend.ts';
import { createPersistence } from '../../core/execution/persist.ts';
import type { ResolvedProtocolOptions } from '../../core/options.ts';
import { isStoreError, storeTimeout, unfinished } from '../../core/record/failures.ts';
import { type Outcome, type ReplayFormat, withinLimit } from '../../core/record/outcome.ts';
import type { CompletedRecord, Identity, InProgressRecord } from '../../core/record/record.ts';
import type { Expected, TransactionResult } from '../../core/record/store.ts';
import { FOREVER, type Runtime, TIMED_OUT, within } from '../../core/runtime.ts';
import type { PostgresStore } from './store.ts';
import { isUncommitted } from './verbs.ts';

interface WorkRequest {
  readonly identity: Identity;
  readonly remaining: RemainingMillis;
  readonly format: ReplayFormat;
  readonly work: (tx: never) => Promise<unknown>;
}

interface Done {
  readonly outcome: Outcome;
}

const NO_ANSWER = 'did not answer while there was time';

/** Does a request in one transaction, or finds out what became of it. @throws IdempotencyError, and what the work throws */
export function createWorker(options: ResolvedProtocolOptions, store: PostgresStore<never>, runtime: Runtime) {
  const cache = options.cache === undefined ? undefined : recordCache(options.cache);

  return async function run({ identity, remaining, format, work }: WorkRequest): Promise<Outcome> {
    const { id, fingerprint } = identity;
    const budget = timeBudget(runtime, undefined, remaining);
    const owner = runtime.randomToken();
    const { tell, cached, contend } = createContender({ options, runtime, identity, owner, budget, cache, format });
    const { persist } = createPersistence({ runtime, budget }, () => FOREVER);
    const left = () => Math.max(budget.left(FOREVER), budget.minWriteMillis);
    /** Whether an earlier transaction of this request got no answer: it may hold the record. */
    let isDoubtful = false;
    try {
      const { outcome } = cached() ?? (await contend<Done>(undefined, attempt));
      return outcome;
    } catch (error) {
      if (isStoreError(error)) tell(1, { type: 'claimFailed', error });
      throw error;
    }

    async function attempt(opening: Opening): Promise<Attempt<Done>> {
      const takeover = opening?.kind === 'takeover' ? opening : undefined;
      const now = runtime.now();
      const base = { id, owner, attempt: takeover?.attempt ?? 1, expiration: expirationAt(now, options), fingerprint };
      const claim: InProgressRecord = { ...base, status: 'IN_PROGRESS', leaseUntil: budget.leaseEnd() };
      let completed: CompletedRecord | undefined;
      let outcome: Outcome | undefined;
      const complete = async (tx: never) => {
        const encoded = format.encode({ kind: 'returned', value: await work(tx) });
        outcome = encoded.outcome;
        const stored = withinLimit(encoded.stored, store.maxOutcomeBytes);
        completed = { ...base, status: 'COMPLETED', outcome: stored, expiration: expirationAt(runtime.now(), options) };
        return completed;
      };
      const answer = await persist((millis) => send(claim, takeover?.expected, complete, millis)).catch((error) => {
        throw unfinished(error);
      });
      if ('itemsError' in answer) throw answer.itemsError;
      if (!answer.done) {
        const { existing } = answer;
        // COMMIT was done, and its answer was lost.
        const isOurs = existing?.owner === owner && existing.status === 'COMPLETED';
        if (!isOurs) return answer;
        completed = existing;
        outcome = format.decode(existing.outcome);
      }
      if (completed === undefined || outcome === undefined) throw new Error('a transaction was done without its work');
      cache?.keep(completed);
      const { type, ...detail } = completed.outcome;
      const reason = type === 'NOT_REPLAYABLE' && 'reason' in detail ? { notReplayable: detail.reason } : {};
      tell(completed.attempt, { type: 'completed', ...reason });
      return { won: { outcome } };
    }

    /** The time limit is for PostgreSQL. The work itself may take as long as it takes. */
    async function send(
      claim: InProgressRecord,
      expected: Expected | undefined,
      complete: (tx: never) => Promise<CompletedRecord>,
      millis = left(),
    ): Promise<TransactionResult> {
      let isGivenUp = false;
      const begun = Promise.withResolvers<void>();
      const worked = Promise.withResolvers<void>();
      const sent = store.transactWork(claim, expected, async (tx) => {
        if (isGivenUp) throw storeTimeout(NO_ANSWER);
        begun.resolve();
        try {
          return await complete(tx);
        } finally {
          worked.resolve();
        }
      });
      const settled = sent.then(ignore, ignore);
      try {
        if ((await within(runtime, millis, () => Promise.race([begun.promise, settled]))) === TIMED_OUT) {
          isGivenUp = true;
          throw storeTimeout(NO_ANSWER);
        }
        await Promise.race([worked.promise, settled]);
        const answer = await within(runtime, left(), () => sent);
        if (answer === TIMED_OUT) throw storeTimeout(NO_ANSWER);
        // What holds the record may be this request's own transaction.
        if (isDoubtful && 'existing' in answer && isUncommitted(answer.existing)) throw storeTimeout(NO_ANSWER);
        return answer;
      } catch (error) {
        isDoubtful = true;
        throw error;
      }
    }
  };
}

const ignore = () => undefined;
