import type { ExecutionContext } from './execution.ts';
import { expirationAt } from './expiration.ts';
import { decodeOutcome, encodeOutcome, notReplayable, type Outcome } from './outcome.ts';
import { type CompletedRecord, type IdempotencyRecord, isExpired, type ReleasedRecord } from './record.ts';
import { TIMED_OUT, within } from './runtime.ts';
import type { ConditionalResult } from './store.ts';
import { storeFailure } from './store-failure.ts';

/** What became of an attempt to settle. */
export type Settled =
  | { readonly kind: 'done' }
  /** Another execution took over and has completed: its outcome is the request's. */
  | { readonly kind: 'superseded'; readonly outcome: Outcome }
  /** Another execution took over, and its outcome is not known yet, or is none of this request's. */
  | { readonly kind: 'leaseLost' };

const FIRST_BACKOFF_MILLIS = 50;
const MAX_BACKOFF_MILLIS = 1000;
const MAX_REFUSALS = 3;
/** A record that is not released is free when its lease ends: worth a moment, not more. */
const RELEASE_TRIES = 4;

/** The writes that end an execution, fenced by its owner. */
export function createSettling(context: ExecutionContext, leaseUntil: () => number) {
  const { options, runtime, budget, record, tell } = context;
  const { store } = options;
  const { id, owner, fingerprint } = record;
  /** The fencing number of the record: that of a successor whose record this execution has written over. */
  let { attempt } = record;
  /** What this execution has last made of the record. */
  let status: 'IN_PROGRESS' | 'COMPLETED' = 'IN_PROGRESS';
  /** Of the outcome. Whoever has found it over may take over, so that no amendment can make it longer. */
  let retention: { readonly expiration: number } | undefined;
  return { write, complete, release };

  function complete(outcome: Outcome): Promise<Settled> {
    const { expiration, ...rest } = ending();
    retention ??= { expiration };
    return keep({ ...rest, ...retention, status: 'COMPLETED', outcome: encodeOutcome(outcome, store.maxOutcomeBytes) });
  }

  async function keep(completed: CompletedRecord): Promise<Settled> {
    try {
      const limits = { millis: budget.maxSettleMillis, tries: Number.POSITIVE_INFINITY };
      return settledBy(await persist((isFirst) => put(completed, isFirst), limits), completed);
    } catch (error) {
      const failure = storeFailure(error);
      if (failure.recordRefused === true && completed.outcome.type !== 'NOT_REPLAYABLE') {
        // That the work is done can be said in fewer bytes.
        return keep({ ...completed, outcome: notReplayable('the store refused it') });
      }
      tell({ type: 'completionFailed', error: failure });
      return { kind: 'done' };
    }
  }

  /** Tries again while there is time. What the store refuses for good is tried a few times: credentials get renewed. */
  async function persist<T>(
    verb: (isFirst: boolean) => Promise<T>,
    limits: { readonly millis: number; readonly tries: number },
  ): Promise<T> {
    const startedAt = runtime.now();
    let backoff = FIRST_BACKOFF_MILLIS;
    for (let tries = 1; ; tries++) {
      try {
        return await verb(tries === 1);
      } catch (error) {
        const failure = storeFailure(error);
        const left = Math.min(budget.left(leaseUntil()), startedAt + limits.millis - runtime.now());
        const enough = failure.retryable === true ? limits.tries : Math.min(limits.tries, MAX_REFUSALS);
        if (failure.recordRefused === true || tries >= enough || left <= backoff) throw failure;
      }
      await runtime.delay(backoff).elapsed;
      backoff = Math.min(backoff * 2, MAX_BACKOFF_MILLIS);
    }
  }

  /** Writes over this execution's own record, or where nobody holds the record any more. */
  async function put(completed: CompletedRecord, isFirst: boolean): Promise<ConditionalResult> {
    const answer = await write(() => store.replace(completed, { owner, status }), isFirst ? undefined : 0);
    if (answer.done) return answer;
    const { existing } = answer;
    if (existing === undefined) return putBack(completed);
    if (existing.owner === owner && existing.status === 'COMPLETED' && !sameOutcome(existing, completed)) {
      // An earlier outcome of this execution was written although its answer never came; this one amends it.
      return write(() => store.replace(notBelow(existing, completed), { owner, status: 'COMPLETED' }));
    }
    if (existing.status === 'RELEASED' && existing.owner !== owner && existing.fingerprint === fingerprint) {
      // A successor has failed and let go of it. This work is done, and forgetting it would do it again.
      const later = notBelow(existing, completed);
      attempt = later.attempt;
      return write(() => store.replace(later, { owner: existing.owner, status: 'RELEASED' }));
    }
    return answer;
  }

  /** The record is gone (TTL, or an operator), but the work is done: forgetting it would do it again. */
  async function putBack(completed: CompletedRecord): Promise<ConditionalResult> {
    const answer = await write(() => store.insert(completed));
    return answer.won ? { done: true } : { done: false, existing: answer.existing };
  }

  function settledBy(answer: ConditionalResult, completed: CompletedRecord): Settled {
    const existing = answer.done ? completed : answer.existing;
    if (existing?.owner !== owner || existing.status !== 'COMPLETED') return lost(existing);
    status = 'COMPLETED';
    const { outcome } = existing;
    tell({ type: 'completed', ...(outcome.type === 'NOT_REPLAYABLE' && { notReplayable: outcome.reason }) });
    return { kind: 'done' };
  }

  function lost(existing: IdempotencyRecord | undefined): Settled {
    tell({ type: 'leaseLost' });
    const isOurs = existing?.status === 'COMPLETED' && existing.fingerprint === fingerprint;
    if (!isOurs || isExpired(existing, runtime.now())) return { kind: 'leaseLost' };
    try {
      return { kind: 'superseded', outcome: decodeOutcome(existing.outcome) };
    } catch (error) {
      return { kind: 'superseded', outcome: { kind: 'threw', error } };
    }
  }

  /** Keeps the record, and with it the count of attempts: the next one must have a higher fencing number. */
  async function release(): Promise<Settled> {
    const released: ReleasedRecord = { ...ending(), status: 'RELEASED' };
    try {
      const expected = { owner, status: 'IN_PROGRESS' } as const;
      const verb = (isFirst: boolean) => write(() => store.replace(released, expected), isFirst ? undefined : 0);
      const answer = await persist(verb, { millis: budget.maxSettleMillis, tries: RELEASE_TRIES });
      const { existing } = answer.done ? { existing: released } : answer;
      const isReleased = existing === undefined || (existing.owner === owner && existing.status === 'RELEASED');
      tell({ type: isReleased ? 'released' : 'leaseLost' });
    } catch (error) {
      tell({ type: 'releaseFailed', error: storeFailure(error) });
    }
    return { kind: 'done' };
  }

  function ending() {
    const expiration = expirationAt(runtime.now(), options);
    return { id, owner, attempt, expiration, ...(fingerprint !== undefined && { fingerprint }) };
  }

  /** A write that hangs is given up while there is still time to answer the caller; the first has a minimum. */
  async function write<T>(verb: () => Promise<T>, least = budget.minWriteMillis): Promise<T> {
    const millis = Math.max(budget.left(leaseUntil()), least);
    const answer = await within(runtime, millis, (async () => verb())());
    if (answer === TIMED_OUT) throw storeFailure(new Error('the store did not answer while there was time'));
    return answer;
  }
}

/** A fencing number never comes twice: it only grows. */
function notBelow({ attempt }: IdempotencyRecord, completed: CompletedRecord): CompletedRecord {
  return { ...completed, attempt: Math.max(attempt, completed.attempt) };
}

function sameOutcome(a: CompletedRecord, b: CompletedRecord): boolean {
  return JSON.stringify(a.outcome) === JSON.stringify(b.outcome);
}
