import type { TimeBudget } from '../budget.ts';
import type { RecordCache } from '../cache.ts';
import { type EventDetail, emit } from '../events.ts';
import type { ResolvedProtocolOptions } from '../options.ts';
import { isStoreError } from '../record/failures.ts';
import type { Outcome, ReplayFormat } from '../record/outcome.ts';
import { type IdempotencyRecord, type Identity, isCompleted } from '../record/record.ts';
import type { Runtime } from '../runtime.ts';
import { contention, type Decision, decide, rejection } from './decide.ts';
import { createWait, type InFlight } from './wait.ts';

/** Takeovers are races. A request that has lost this many without a pause is rejected. */
const MAX_RACES = 10;

/** Why this request may write; `undefined` where there is no record. */
export type Opening = Extract<Decision, { kind: 'won' | 'takeover' }> | undefined;
type Yielding = Exclude<Decision, NonNullable<Opening>>;

/** What a write came to: what this request has won, or the record that was in its way. */
export type Attempt<Won> = { readonly won: Won } | { readonly existing: IdempotencyRecord | undefined };

export interface Replay {
  readonly kind: 'replay';
  readonly outcome: Outcome;
}

interface ContenderContext {
  readonly options: ResolvedProtocolOptions;
  readonly runtime: Runtime;
  readonly identity: Identity;
  readonly owner: string;
  readonly budget: TimeBudget;
  readonly cache: RecordCache | undefined;
  readonly format: ReplayFormat;
}

/** One request among all those of its key. */
export interface Contender {
  tell(attempt: number, detail: EventDetail): void;
  /** A replay without a request to the store. @throws IdempotencyError when the request is not executed */
  cached(): Replay | undefined;
  /**
   * Decides what the record that was met means, again and again while others change it. `attempt` writes where it may.
   *
   * @throws IdempotencyError when the request is not executed
   */
  contend<Won>(
    met: IdempotencyRecord | undefined,
    attempt: (opening: Opening) => Promise<Attempt<Won>>,
  ): Promise<Won | Replay>;
}

function mayWrite(decision: Decision): decision is NonNullable<Opening> {
  return decision.kind === 'won' || decision.kind === 'takeover';
}

export function createContender(context: ContenderContext): Contender {
  const { options, runtime, owner, cache, format } = context;
  const { id, operation, fingerprint } = context.identity;
  const startedAt = runtime.monotonic();
  const claimant = { owner, fingerprint, leaseUntil: context.budget.leaseEnd() };
  // A request waits once, however often it contends.
  const onBegin = ({ attempt, retryAfterMillis }: InFlight) => tell(attempt, { type: 'waiting', retryAfterMillis });
  const wait = createWait(context, onBegin);
  return { tell, cached, contend };

  function tell(attempt: number, detail: EventDetail): void {
    if (!options.onEvent) return;
    const durationMillis = runtime.monotonic() - startedAt;
    emit(options.onEvent, { operation, id, attempt, durationMillis, ...detail });
  }

  /** Not shortly before the end of the retention: others may see it expired. */
  function cached(): Replay | undefined {
    const record = cache?.find(id);
    if (!record) return undefined;
    const decision = decide(record, claimant, options, runtime.now() + options.clockSkewMillis);
    if (mayWrite(decision)) return undefined;
    return yieldTo(decision, record.attempt, record, true);
  }

  async function contend<Won>(
    met: IdempotencyRecord | undefined,
    attempt: (opening: Opening) => Promise<Attempt<Won>>,
  ): Promise<Won | Replay> {
    let number = 1;
    let existing = met;
    for (let races = 0; ; ) {
      const decision = existing && decide(existing, claimant, options, runtime.now());
      number = existing?.attempt ?? number;
      if (!decision || mayWrite(decision)) {
        if (races++ === MAX_RACES) {
          const retryAfterMillis = options.clockSkewMillis;
          tell(number, { type: 'inFlight', retryAfterMillis });
          throw contention(MAX_RACES, retryAfterMillis);
        }
        const tried = await attempt(decision);
        if ('won' in tried) return tried.won;
        existing = tried.existing;
      } else {
        const later = decision.kind === 'inFlight' ? await wait({ ...decision, attempt: number }) : undefined;
        if (!later) return yieldTo(decision, number, existing);
        existing = later.existing;
        races = 0;
      }
    }
  }

  /** Another execution is running or has ended. This request writes nothing. */
  function yieldTo(
    decision: Yielding,
    attempt: number,
    existing: IdempotencyRecord | undefined,
    fromCache = false,
  ): Replay {
    if (decision.kind !== 'replay') {
      const { kind: type, ...details } = decision;
      tell(attempt, { type, ...details } as EventDetail);
      throw rejection(decision, id);
    }
    try {
      const outcome = format.decode(decision.outcome);
      tell(attempt, { type: 'replayed', ...(fromCache && { fromCache }) });
      if (isCompleted(existing)) cache?.keep(existing);
      return { kind: 'replay', outcome };
    } catch (error) {
      if (!isStoreError(error)) tell(attempt, { type: 'notReplayable' });
      throw error;
    }
  }
}
