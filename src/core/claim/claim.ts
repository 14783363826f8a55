import type { IdempotencyError } from '../../errors.ts';
import { expirationAt, type RemainingMillis, timeBudget } from '../budget.ts';
import { type RecordCache, recordCache } from '../cache.ts';
import type { EventDetail } from '../events.ts';
import { createExecution, type Execution } from '../execution/execution.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { isStoreError, storeFailure } from '../record/failures.ts';
import type { ReplayFormat } from '../record/outcome.ts';
import { type Checkpoints, checkpointTexts, type Identity, type InProgressRecord } from '../record/record.ts';
import type { RecordStore, WriteResult } from '../record/store.ts';
import type { Runtime } from '../runtime.ts';
import { claimWrites } from './claim-writes.ts';
import { type Attempt, createContender, type Opening, type Replay } from './contend.ts';
import type { TakeoverReason } from './decide.ts';

/** What a request may do. */
export type Claim =
  | Executing
  | Replay
  /** The store gave no answer to the first request: nothing is known of the record, and nothing was executed. */
  | { readonly kind: 'unanswered'; readonly error: IdempotencyError };

interface Executing {
  readonly kind: 'execute';
  readonly execution: Execution;
}

interface ClaimRequest {
  readonly identity: Identity;
  readonly remaining: RemainingMillis;
  readonly format: ReplayFormat;
  /** The store of this request, if it has its own. */
  readonly store?: RecordStore | undefined;
}

/** Claims the right to execute, or finds out what became of the request. @throws IdempotencyError */
export type Guard = (request: ClaimRequest) => Promise<Claim>;

export function createGuard(options: ResolvedProtocolOptions, runtime: Runtime): Guard {
  const cache = options.cache && recordCache(options.cache);
  return (request) => claim(request.store ? { ...options, store: request.store } : options, runtime, cache, request);
}

async function claim(
  options: ResolvedProtocolOptions,
  runtime: Runtime,
  cache: RecordCache | undefined,
  { identity, remaining, format }: ClaimRequest,
): Promise<Claim> {
  const { id, fingerprint } = identity;
  const budget = timeBudget(runtime, options.leaseMillis, remaining);
  const owner = runtime.randomToken();
  const context = { options, runtime, identity, owner, budget, cache, format };
  const writes = claimWrites(context);
  const { tell, cached, contend } = createContender(context);
  let takenOver: TakeoverReason | undefined;
  try {
    return cached() ?? (await insert());
  } catch (error) {
    if (isStoreError(error)) tell(1, { type: 'claimFailed', error });
    throw error;
  }

  /** The lease begins now: a request may have waited before it takes over. */
  function candidate(attempt = 1, checkpoints?: Checkpoints): InProgressRecord {
    const leaseUntil = budget.leaseEnd();
    return {
      id,
      status: 'IN_PROGRESS',
      owner,
      attempt,
      leaseUntil,
      expiration: expirationAt(runtime.now(), options, leaseUntil),
      fingerprint,
      checkpoints,
    };
  }

  async function insert(): Promise<Claim> {
    const first = candidate();
    let answer: WriteResult;
    try {
      answer = await writes.put(first);
    } catch (error) {
      const failure = storeFailure(error);
      if (!failure.unanswered) throw failure;
      tell(1, { type: 'claimFailed', error: failure });
      return { kind: 'unanswered', error: failure };
    }
    return answer.done ? win(first) : contend(answer.existing, take);
  }

  async function take(opening: Opening): Promise<Attempt<Executing>> {
    if (opening?.kind === 'won') return { won: win(opening.record) };
    const checkpoints = opening?.checkpoints && (await writes.inTime(checkpointTexts, opening.checkpoints));
    const claimed = candidate(opening?.attempt, checkpoints);
    takenOver = opening?.reason ?? takenOver;
    const answer = await writes.put(claimed, opening?.expected);
    return answer.done ? { won: win(claimed, answer.room) } : answer;
  }

  function win(record: InProgressRecord, room?: number): Executing {
    writes.assertLive(record);
    const { attempt } = record;
    tell(attempt, takenOver ? { type: 'takenOver', reason: takenOver } : { type: 'claimed' });
    const report = (detail: EventDetail) => tell(attempt, detail);
    const execution = createExecution({ ...context, record, room, tell: report });
    return { kind: 'execute', execution };
  }
}
