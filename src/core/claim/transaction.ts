import { expirationAt, type RemainingMillis, timeBudget } from '../budget.ts';
import { type RecordCache, recordCache } from '../cache.ts';
import { createPersistence } from '../execution/persist.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { isStoreError, unfinished } from '../record/failures.ts';
import { type EncodedOutcome, type Outcome, type ReplayFormat, returned, withinLimit } from '../record/outcome.ts';
import type { CompletedRecord, IdempotencyRecord, Identity } from '../record/record.ts';
import type { TransactionResult } from '../record/store.ts';
import { FOREVER, type Runtime } from '../runtime.ts';
import { type Attempt, createContender, type Opening } from './contend.ts';

/** What a request is going to write, and its response. */
export interface Plan {
  readonly items: readonly never[];
  readonly response: unknown;
}

interface TransactionRequest {
  readonly identity: Identity;
  readonly remaining: RemainingMillis;
  readonly format: ReplayFormat;
  /** Has no effects. Called at most once. */
  readonly plan: () => Promise<Plan>;
}

/** Does a request in one transaction, or finds out what became of it. @throws IdempotencyError, and what the plan throws */
export type Transactor = (request: TransactionRequest) => Promise<Outcome>;

/**
 * Exactly once without a claim: the writes of the caller and the COMPLETED record are one transaction. Its condition is that no
 * other execution has the record. Nothing is left to expire, to take over or to find out.
 *
 * @param lookFirst whether the record is read before the plan is made
 */
export function createTransactor(options: ResolvedProtocolOptions, runtime: Runtime, lookFirst: boolean): Transactor {
  const cache = options.cache && recordCache(options.cache);
  return (request) => transaction({ options, runtime, lookFirst, cache }, request);
}

interface TransactionContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly lookFirst: boolean;
  readonly cache: RecordCache | undefined;
}

interface Prepared {
  readonly items: readonly never[];
  readonly stored: EncodedOutcome;
  readonly outcome: Outcome;
}

interface Done {
  readonly outcome: Outcome;
}

async function transaction(
  { options, runtime, lookFirst, cache }: TransactionContext,
  { identity, remaining, format, plan }: TransactionRequest,
): Promise<Outcome> {
  const { store } = options;
  const { id, fingerprint } = identity;
  const budget = timeBudget(runtime, undefined, remaining);
  const owner = runtime.randomToken();
  const { tell, cached, contend } = createContender({ options, runtime, identity, owner, budget, cache, format });
  const { persist, write } = createPersistence({ runtime, budget }, () => FOREVER);
  let prepared: Prepared | undefined;
  try {
    const { outcome } = cached() ?? (await contend<Done>(lookFirst ? await read() : undefined, attempt));
    return outcome;
  } catch (error) {
    if (isStoreError(error)) tell(1, { type: 'claimFailed', error });
    throw error;
  }

  async function attempt(opening: Opening): Promise<Attempt<Done>> {
    if (prepared === undefined) {
      try {
        prepared = await prepare();
      } catch (error) {
        return { won: await insteadOf(error) };
      }
    }
    return send(prepared, opening);
  }

  async function prepare(): Promise<Prepared> {
    const { items, response } = await plan();
    const { stored, outcome } = format.encode(returned(response));
    return { items, stored: withinLimit(stored, store.maxOutcomeBytes), outcome };
  }

  async function send({ items, stored, outcome }: Prepared, opening: Opening): Promise<Attempt<Done>> {
    // One token for each transaction: DynamoDB refuses a token that it knows with other content.
    const token = runtime.randomToken();
    const takeover = opening?.kind === 'takeover' ? opening : undefined;
    const record: CompletedRecord = {
      id,
      status: 'COMPLETED',
      owner,
      attempt: takeover?.attempt ?? 1,
      expiration: expirationAt(runtime.now(), options),
      fingerprint,
      outcome: stored,
      transaction: token,
    };
    const verb = async () => store.transact?.(record, takeover?.expected, items, token) as Promise<TransactionResult>;
    const answer = await persist((millis) => write(verb, millis)).catch((error) => {
      throw unfinished(error);
    });
    if ('itemsError' in answer) return { won: await insteadOf(answer.itemsError) };
    // An earlier try was applied, and its answer was lost.
    const isOurs = !answer.done && answer.existing?.owner === owner;
    if (!answer.done && !isOurs) return answer;
    cache?.keep(record);
    tell(record.attempt, {
      type: 'completed',
      ...(stored.type === 'NOT_REPLAYABLE' && { notReplayable: stored.reason }),
    });
    return { won: { outcome } };
  }

  /** The plan of a retry may meet what the first request has written, and fail because of it: then that outcome counts. */
  async function insteadOf(error: unknown): Promise<Done> {
    return contend<Done>(await read(), () => {
      throw error;
    });
  }

  function read(): Promise<IdempotencyRecord | undefined> {
    return persist((millis) => write(() => store.read(id), millis));
  }
}
