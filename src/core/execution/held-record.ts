import { expirationAt } from '../budget.ts';
import { decodeOutcome, encodeOutcome, notReplayable, type Outcome } from '../record/outcome.ts';
import {
  type Checkpoints,
  type CompletedRecord,
  type IdempotencyRecord,
  type InProgressRecord,
  isExpired,
} from '../record/record.ts';
import type { Expected } from '../record/store.ts';
import { storeFailure } from '../record/store-failure.ts';
import type { ExecutionContext } from './context.ts';
import { createPersistence } from './persist.ts';

/** `'settled'`: this execution has completed or released it already. `'lost'`: the record is in somebody else's hands. */
type Written = 'written' | 'settled' | 'lost';

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

/** The record of a running execution, as its owner knows it, and every write to it. Each is fenced by the owner. */
export interface HeldRecord {
  /** Until when this execution alone may run, as far as it knows. Epoch milliseconds. */
  leaseUntil(): number;
  /** The checkpoints, those included whose write has failed: the next write carries them. */
  checkpoints(): Checkpoints;
  /** Makes the lease last `millis` from now; writes nothing where it does already. */
  extend(millis: number): Promise<Written>;
  /** Adds a checkpoint, and tries to write it while there is time. */
  checkpoint(name: string, text: string): Promise<Written>;
  /**
   * Stores an outcome, or amends the one that is stored. `final`: no other one follows, and the execution has ended; before
   * that the outcome is kept at least as long as the lease.
   * @throws IdempotencyError when it could not be stored, although it was tried while there was time
   */
  complete(outcome: Outcome, when: { readonly final: boolean; readonly ended: boolean }): Promise<Settled>;
  /**
   * Stores an outcome together with writes of the caller, or neither.
   * @throws IdempotencyError when it is not known whether it was written, or was refused
   */
  transact(outcome: Outcome, items: readonly never[]): Promise<Settled | Refused>;
  /** What was stored last is what the caller gets: no other outcome will take its place. */
  confirm(): void;
  /** Keeps the record, and with it the count of attempts: the next one must have a higher fencing number. */
  release(): Promise<Settled>;
}

/** A record that is not released is free when its lease ends: worth a moment, not more. */
const RELEASE_TRIES = 4;

export function holdRecord(context: ExecutionContext): HeldRecord {
  const { options, runtime, record, cache, tell } = context;
  const { store } = options;
  const { id, owner, fingerprint } = record;
  const { persist, write } = createPersistence(context, () => until);
  const checkpoints = new Map(Object.entries(record.checkpoints ?? {}));
  let until = record.leaseUntil;
  /** The lease that was proposed last. The store may or may not have it. */
  let proposed = until;
  let turn: Promise<unknown> = Promise.resolve();
  /** The fencing number of the record: that of a successor whose record this execution has written over. */
  let { attempt } = record;
  /** The outcome that was last seen there: an amendment expects it. */
  let seen: CompletedRecord | undefined;
  /** Whether that is certainly what the record has. */
  let isCertain = false;
  /** Of the outcome. Whoever has found it over may take over, so that no amendment can make it longer. */
  let retention: { readonly expiration: number } | undefined;

  return {
    leaseUntil: () => until,
    checkpoints: allCheckpoints,
    extend: (millis) =>
      inTurn(async () => {
        const wanted = runtime.now() + millis;
        // While it lasts, nobody can have taken over: there is nothing to find out either.
        return wanted <= until ? 'written' : putLease(proposal(wanted));
      }),
    checkpoint: (name, text) =>
      inTurn(async () => {
        checkpoints.set(name, text);
        const next = proposal(until);
        try {
          return await persist((least) => putLease(next, least));
        } catch (error) {
          // What the store never takes must not be in the way of later writes.
          if (storeFailure(error).recordRefused === true) checkpoints.delete(name);
          throw error;
        }
      }),
    complete,
    transact,
    confirm,
    release,
  };

  function allCheckpoints(): Checkpoints {
    return Object.fromEntries(checkpoints);
  }

  // The lease, while the record is in progress.

  /** One at a time: of two that overlap, the older could be written last. */
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = turn.then(action);
    turn = result.catch(() => undefined);
    return result;
  }

  /** No two writes have the same lease: a write whose answer was lost is recognised by it when it is met again. */
  function proposal(wanted: number): InProgressRecord {
    proposed = Math.max(proposed + 1, wanted);
    const { checkpoints: _, ...rest } = record;
    const expiration = expirationAt(runtime.now(), options, proposed);
    return { ...rest, leaseUntil: proposed, expiration, ...keptCheckpoints() };
  }

  async function putLease(next: InProgressRecord, least?: number): Promise<Written> {
    for (;;) {
      // Without the lease that is expected, a write that was given up and arrives late would undo a later one.
      const expected: Expected = { owner, status: 'IN_PROGRESS', leaseUntil: until };
      const answer = await write(() => store.replace(next, expected), least);
      if (answer.done) break;
      const { existing } = answer;
      if (existing?.owner !== owner) return 'lost';
      if (existing.status !== 'IN_PROGRESS') return 'settled';
      if (existing.leaseUntil <= until) throw storeFailure(new Error('the store contradicts itself'));
      // This write or an earlier one was applied although its answer never came.
      until = existing.leaseUntil;
    }
    until = next.leaseUntil;
    return 'written';
  }

  // The outcome.

  async function complete(outcome: Outcome, { final, ended }: { final: boolean; ended: boolean }): Promise<Settled> {
    const completed = completedWith(outcome, final, ended ? 0 : until);
    if (seen === undefined || !isCertain || !sameOutcome(seen, completed)) return keep(completed);
    if (final) confirm();
    return { kind: 'done' };
  }

  function confirm(): void {
    if (seen === undefined || !isCertain) return;
    const { provisional: _, ...final } = seen;
    cache?.keep(final);
  }

  async function transact(outcome: Outcome, items: readonly never[]): Promise<Settled | Refused> {
    const before = retention;
    const completed = completedWith(outcome, false, until);
    const token = runtime.randomToken();
    const expected = { owner, status: 'IN_PROGRESS' } as const;
    const send = async () =>
      (await store.transact?.(completed, expected, items, token)) ?? { done: false, refused: '' };
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
    isCertain = false;
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
    const answer = await write(() => store.replace(completed, { owner, status: 'IN_PROGRESS' }), least);
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
    isCertain = true;
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

  // The end without an outcome.

  async function release(): Promise<Settled> {
    const released = { ...ending(), status: 'RELEASED', ...keptCheckpoints() } as const;
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

  function keptCheckpoints() {
    return checkpoints.size > 0 && { checkpoints: allCheckpoints() };
  }
}

/** A fencing number never comes twice: it only grows. */
function notBelow({ attempt }: Pick<IdempotencyRecord, 'attempt'>, completed: CompletedRecord): CompletedRecord {
  return { ...completed, attempt: Math.max(attempt, completed.attempt) };
}

function sameOutcome(a: CompletedRecord, b: CompletedRecord): boolean {
  return JSON.stringify(a.outcome) === JSON.stringify(b.outcome);
}
