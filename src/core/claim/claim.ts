import type { IdempotencyError } from '../../errors.ts';
import { expirationAt, type RemainingMillis, timeBudget } from '../budget.ts';
import { type RecordCache, recordCache } from '../cache.ts';
import { type EventDetail, emit } from '../events.ts';
import { createExecution, type Execution } from '../execution/execution.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { isStoreError, storeFailure } from '../record/failures.ts';
import type { Outcome, ReplayFormat } from '../record/outcome.ts';
import {
  type Checkpoints,
  checkpointTexts,
  type IdempotencyRecord,
  type Identity,
  type InProgressRecord,
} from '../record/record.ts';
import type { WriteResult } from '../record/store.ts';
import type { Runtime } from '../runtime.ts';
import { claimWrites } from './claim-writes.ts';
import { contention, type Decision, decide, rejection, type TakeoverReason } from './decide.ts';
import { createWait, type InFlight } from './wait.ts';

/** Takeovers are races. A request that has lost this many is rejected. */
const MAX_RACES = 10;

/** What a request may do. */
export type Claim =
  | { readonly kind: 'execute'; readonly execution: Execution }
  | { readonly kind: 'replay'; readonly outcome: Outcome }
  /** The store gave no answer to the first request: nothing is known of the record, and nothing was executed. */
  | { readonly kind: 'unanswered'; readonly error: IdempotencyError };

interface ClaimRequest {
  readonly identity: Identity;
  readonly remaining: RemainingMillis;
  readonly format: ReplayFormat;
}

/** Claims the right to execute, or finds out what became of the request. @throws IdempotencyError */
export type Guard = (request: ClaimRequest) => Promise<Claim>;

export function createGuard(options: ResolvedProtocolOptions, runtime: Runtime): Guard {
  const cache = options.cache === undefined ? undefined : recordCache(options.cache);
  return (request) => claim(options, runtime, cache, request);
}

type Yielding = Exclude<Decision, { kind: 'won' | 'takeover' }>;

async function claim(
  options: ResolvedProtocolOptions,
  runtime: Runtime,
  cache: RecordCache | undefined,
  { identity, remaining, format }: ClaimRequest,
): Promise<Claim> {
  const { id, operation, fingerprint } = identity;
  const startedAt = runtime.monotonic();
  const budget = timeBudget(runtime, options.leaseMillis, remaining);
  const owner = runtime.randomToken();
  const writes = claimWrites({ options, runtime, budget, startedAt });
  try {
    return (cache && cached(cache)) ?? (await insert());
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

  /** A replay without a request to the store. Not shortly before the end of the retention: others may see it expired. */
  function cached({ find }: RecordCache): Claim | undefined {
    const record = find(id);
    if (record === undefined) return undefined;
    const decision = decide(record, candidate(), options, runtime.now() + options.clockSkewMillis);
    if (decision.kind === 'won' || decision.kind === 'takeover') return undefined;
    return yieldTo(decision, record.attempt, record, true);
  }

  async function insert(): Promise<Claim> {
    const first = candidate();
    let answer: WriteResult;
    try {
      answer = await writes.put(first);
    } catch (error) {
      const failure = storeFailure(error);
      if (failure.unanswered !== true) throw failure;
      tell(1, { type: 'claimFailed', error: failure });
      return { kind: 'unanswered', error: failure };
    }
    return answer.done ? win(first) : contend(first, answer.existing);
  }

  /** Another record was in the way. Decides, again and again while others change it. */
  async function contend(first: InProgressRecord, met: IdempotencyRecord | undefined): Promise<Claim> {
    const onBegin = ({ attempt, retryAfterMillis }: InFlight) => tell(attempt, { type: 'waiting', retryAfterMillis });
    const wait = createWait({ options, runtime, budget, id, onBegin });
    let claimed = first;
    let existing = met;
    let takenOver: TakeoverReason | undefined;
    for (let races = 0; ; ) {
      const decision = existing && decide(existing, claimed, options, runtime.now());
      if (decision === undefined || decision.kind === 'takeover') {
        if (races++ === MAX_RACES) {
          const retryAfterMillis = options.clockSkewMillis;
          tell(claimed.attempt, { type: 'inFlight', retryAfterMillis });
          throw contention(MAX_RACES, retryAfterMillis);
        }
        const checkpoints = decision?.checkpoints && (await checkpointTexts(decision.checkpoints));
        claimed = candidate(decision?.attempt, checkpoints);
        takenOver = decision?.reason ?? takenOver;
        const answer = await writes.put(claimed, decision?.expected);
        if (answer.done) return win(claimed, takenOver, answer.room);
        existing = answer.existing;
      } else if (decision.kind === 'won') {
        return win(decision.record, takenOver);
      } else {
        const attempt = existing?.attempt ?? claimed.attempt;
        const later = decision.kind === 'inFlight' ? await wait({ ...decision, attempt }) : undefined;
        if (later === undefined) return yieldTo(decision, attempt, existing);
        existing = later.existing;
      }
    }
  }

  function win(record: InProgressRecord, takenOver?: TakeoverReason, room?: number): Claim {
    writes.assertLive(record);
    const { attempt } = record;
    tell(attempt, takenOver === undefined ? { type: 'claimed' } : { type: 'takenOver', reason: takenOver });
    const report = (detail: EventDetail) => tell(attempt, detail);
    const execution = createExecution({
      options,
      runtime,
      identity,
      budget,
      record,
      room,
      cache,
      format,
      tell: report,
    });
    return { kind: 'execute', execution };
  }

  /** Another execution is running or has ended. This request writes nothing. */
  function yieldTo(
    decision: Yielding,
    attempt: number,
    existing: IdempotencyRecord | undefined,
    fromCache = false,
  ): Claim {
    if (decision.kind !== 'replay') {
      const { kind: type, ...details } = decision;
      tell(attempt, { type, ...details } as EventDetail);
      throw rejection(decision, id);
    }
    try {
      const outcome = format.decode(decision.outcome);
      tell(attempt, { type: 'replayed', ...(fromCache && { fromCache }) });
      if (existing?.status === 'COMPLETED') cache?.keep(existing);
      return { kind: 'replay', outcome };
    } catch (error) {
      if (!isStoreError(error)) tell(attempt, { type: 'notReplayable' });
      throw error;
    }
  }

  function tell(attempt: number, detail: EventDetail): void {
    if (options.onEvent === undefined) return;
    const durationMillis = runtime.monotonic() - startedAt;
    emit(options.onEvent, { operation, id, attempt, durationMillis, ...detail });
  }
}
