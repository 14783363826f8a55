import type { ExecutionContext } from './execution.ts';
import { expirationAt } from './expiration.ts';
import type { Lease } from './lease.ts';
import { decodeOutcome, encodeOutcome, notReplayable, type Outcome } from './outcome.ts';
import { type CompletedRecord, type IdempotencyRecord, isExpired, type ReleasedRecord } from './record.ts';
import type { Expected } from './store.ts';
import { storeFailure } from './store-failure.ts';
import type { Writing } from './writing.ts';

/** What became of an attempt to settle. */
export type Settled =
  | { readonly kind: 'done' }
  /** Another execution took over and has completed: its outcome is the request's. */
  | { readonly kind: 'superseded'; readonly outcome: Outcome }
  /** Another execution took over, and its outcome is not known yet, or is none of this request's. */
  | { readonly kind: 'leaseLost' };

/** The caller's own writes were refused: nothing was written, and the execution goes on. */
export interface Refused {
  readonly kind: 'refused';
  readonly error: unknown;
}

/** A record that is not released is free when its lease ends: worth a moment, not more. */
const RELEASE_TRIES = 4;

/** The writes that end an execution, fenced by its owner. */
export function createSettling(context: ExecutionContext, { persist, write }: Writing, lease: Lease) {
  const { options, runtime, record, cache, tell } = context;
  const { store } = options;
  const { id, owner, fingerprint } = record;
  /** The fencing number of the record: that of a successor whose record this execution has written over. */
  let { attempt } = record;
  /** Of the record, as long as no outcome is known to be there. */
  const status = 'IN_PROGRESS';
  /** The outcome that was last seen there: an amendment expects it. */
  let seen: CompletedRecord | undefined;
  /** The outcome that the record is known to have. */
  let stored: CompletedRecord | undefined;
  /** Of the outcome. Whoever has found it over may take over, so that no amendment can make it longer. */
  let retention: { readonly expiration: number } | undefined;
  return { complete, completeNow, transact, confirm, release };

  /** At the end of the execution: whatever becomes of the record, the caller gets the outcome. */
  async function complete(outcome: Outcome, final: boolean): Promise<Settled> {
    try {
      return await completeNow(outcome, final, 0);
    } catch (error) {
      tell({ type: 'completionFailed', error });
      return { kind: 'done' };
    }
  }

  /**
   * While the execution goes on: as long as its lease does, no other one may find the retention over.
   * @throws IdempotencyError when the outcome could not be stored, although it was tried while there was time
   */
  async function completeNow(outcome: Outcome, final = false, leaseUntil = lease.until()): Promise<Settled> {
    const completed = completedWith(outcome, final, leaseUntil);
    if (stored === undefined || !sameOutcome(stored, completed)) return keep(completed);
    if (final) confirm();
    return { kind: 'done' };
  }

  /** What was stored last is what the caller gets: no other outcome will take its place. */
  function confirm(): void {
    if (stored === undefined) return;
    const { provisional: _, ...final } = stored;
    cache?.keep(final);
  }

  /**
   * Together with writes of the caller, or not at all.
   * @throws IdempotencyError when it is not known whether it was written, or was refused
   */
  async function transact(outcome: Outcome, items: readonly never[]): Promise<Settled | Refused> {
    const before = retention;
    const completed = completedWith(outcome, false, lease.until());
    const token = runtime.randomToken();
    const send = async () =>
      (await store.transact?.(completed, { owner, status }, items, token)) ?? { done: false, refused: '' };
    const answer = await persist((least) => write(send, least));
    if ('refused' in answer) {
      // Nobody has seen this one: with the same token, a transaction that was applied is never refused.
      retention = before;
      return { kind: 'refused', error: answer.refused };
    }
    return settledBy(answer.done ? completed : answer.existing, false);
  }

  function completedWith(outcome: Outcome, final: boolean, leaseUntil: number): CompletedRecord {
    const encoded = encodeOutcome(outcome, store.maxOutcomeBytes);
    const { expiration, ...rest } = ending();
    const leaseIsOver = Math.ceil((leaseUntil + options.clockSkewMillis) / 1000);
    retention ??= { expiration: Math.max(expiration, leaseIsOver) };
    return { ...rest, ...retention, status: 'COMPLETED', outcome: encoded, ...(!final && { provisional: 1 }) };
  }

  async function keep(completed: CompletedRecord): Promise<Settled> {
    // Until there is an answer, nobody knows which of the two the record has.
    stored = undefined;
    try {
      return settledBy(await persist((least) => put(completed, least)), completed.provisional === undefined);
    } catch (error) {
      const failure = storeFailure(error);
      if (failure.recordRefused !== true || completed.outcome.type === 'NOT_REPLAYABLE') throw failure;
      // That the work is done can be said in fewer bytes.
      return keep({ ...completed, outcome: notReplayable('the store refused it') });
    }
  }

  /**
   * Writes over this execution's own record, or where nobody holds the record any more.
   * @returns what is there now
   */
  async function put(completed: CompletedRecord, least?: number): Promise<IdempotencyRecord | undefined> {
    if (seen !== undefined) return amend(seen, completed, least);
    const answer = await write(() => store.replace(completed, { owner, status }), least);
    return answer.done ? completed : putAgain(answer.existing, completed);
  }

  /** `existing` was in the way. */
  async function putAgain(
    existing: IdempotencyRecord | undefined,
    completed: CompletedRecord,
  ): Promise<IdempotencyRecord | undefined> {
    if (existing === undefined) return putBack(completed);
    if (existing.owner === owner && existing.status === 'COMPLETED' && !sameOutcome(existing, completed)) {
      // An earlier outcome of this execution was written although its answer never came; this one amends it.
      return amend(existing, completed);
    }
    if (existing.status === 'RELEASED' && existing.owner !== owner && existing.fingerprint === fingerprint) {
      // A successor has failed and let go of it. This work is done, and forgetting it would do it again.
      const later = notBelow(existing, completed);
      attempt = later.attempt;
      const answer = await write(() => store.replace(later, { owner: existing.owner, status: 'RELEASED' }));
      return answer.done ? later : answer.existing;
    }
    return existing;
  }

  /** Without the number that is expected, an amendment that arrives late would undo a later one. */
  async function amend(
    { provisional = 0, ...before }: CompletedRecord,
    completed: CompletedRecord,
    least?: number,
  ): Promise<IdempotencyRecord | undefined> {
    const later = notBelow(before, completed);
    const amended = later.provisional === undefined ? later : { ...later, provisional: provisional + 1 };
    const expected: Expected = { owner, status: 'COMPLETED', ...(provisional > 0 && { provisional }) };
    const answer = await write(() => store.replace(amended, expected), least);
    return answer.done ? amended : putAgain(answer.existing, completed);
  }

  /** The record is gone (TTL, or an operator), but the work is done: forgetting it would do it again. */
  async function putBack(completed: CompletedRecord): Promise<IdempotencyRecord | undefined> {
    const answer = await write(() => store.insert(completed));
    return answer.won ? completed : answer.existing;
  }

  function settledBy(existing: IdempotencyRecord | undefined, final: boolean): Settled {
    if (existing?.owner !== owner || existing.status !== 'COMPLETED') return lost(existing);
    seen = existing;
    stored = existing;
    if (final) confirm();
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
    const checkpoints = lease.checkpoints();
    const kept = Object.keys(checkpoints).length > 0 && { checkpoints };
    const released: ReleasedRecord = { ...ending(), status: 'RELEASED', ...kept };
    try {
      const expected = { owner, status: 'IN_PROGRESS' } as const;
      const verb = (least?: number) => write(() => store.replace(released, expected), least);
      const answer = await persist(verb, { tries: RELEASE_TRIES });
      const { existing } = answer.done ? { existing: released } : answer;
      if (existing !== undefined && existing.owner !== owner) tell({ type: 'leaseLost' });
      // A completion of this execution may have been applied although its answer never came: it stays.
      else tell({ type: existing?.status === 'COMPLETED' ? 'completed' : 'released' });
    } catch (error) {
      tell({ type: 'releaseFailed', error: storeFailure(error) });
    }
    return { kind: 'done' };
  }

  function ending() {
    const expiration = expirationAt(runtime.now(), options);
    return { id, owner, attempt, expiration, ...(fingerprint !== undefined && { fingerprint }) };
  }
}

/** A fencing number never comes twice: it only grows. */
function notBelow({ attempt }: Pick<IdempotencyRecord, 'attempt'>, completed: CompletedRecord): CompletedRecord {
  return { ...completed, attempt: Math.max(attempt, completed.attempt) };
}

function sameOutcome(a: CompletedRecord, b: CompletedRecord): boolean {
  return JSON.stringify(a.outcome) === JSON.stringify(b.outcome);
}
