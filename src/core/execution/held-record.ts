import { expirationAt } from '../budget.ts';
import { storeFailure, storeTimeout } from '../record/failures.ts';
import { type EncodedOutcome, notReplayable, type Outcome, sameStored, threw, withinLimit } from '../record/outcome.ts';
import {
  type CheckpointTexts,
  type CompletedRecord,
  type IdempotencyRecord,
  type InProgressRecord,
  isCompleted,
  isExpired,
} from '../record/record.ts';
import type { Expected, TransactionResult } from '../record/store.ts';
import type { ExecutionContext } from './context.ts';
import { amendment, type Overwrite, overwrite } from './overwrite.ts';
import { createPersistence } from './persist.ts';

/** `'settled'`: this execution has completed or released the record. `'lost'`: another owner has it. */
export type LeaseWrite = 'written' | 'settled' | 'lost';

/** What became of an attempt to settle. */
export type Settled =
  | { readonly kind: 'done' }
  /** Another execution took over and has completed: its outcome is the request's. */
  | { readonly kind: 'superseded'; readonly outcome: Outcome }
  /** Another execution took over, and its outcome is not known yet, or belongs to another request. */
  | { readonly kind: 'leaseLost' };

export const DONE: Settled = { kind: 'done' };

/** The store refused the caller's items, and the execution goes on. */
export interface ItemsRefused {
  readonly kind: 'itemsRefused';
  readonly error: unknown;
  /** Whether an earlier try got no answer: it may still arrive and be applied. */
  readonly isDoubtful: boolean;
}

/** The record of a running execution, as its owner knows it, and every write to it. The owner is the fence of each. */
export interface HeldRecord {
  /** Until when only this execution may run, as far as it knows. Epoch milliseconds. */
  leaseUntil(): number;
  /** The checkpoint of a step. One whose write has failed is included: the next write carries it. */
  kept(name: string): string | undefined;
  /**
   * Keeps room for the fact that the step is done, before it runs. `false` where the record has none: then its effect could
   * not be remembered.
   */
  reserve(name: string): boolean;
  /** The step has ended: its room is used, or is not needed. */
  unreserve(name: string): void;
  /** Makes the lease last `length` milliseconds from now, and tries while there is time. Writes nothing if it does already. */
  extend(length: number): Promise<LeaseWrite>;
  /** Adds a checkpoint, and tries to write it while there is time. */
  checkpoint(name: string, text: string): Promise<LeaseWrite>;
  /**
   * Stores an outcome, or replaces the one that is stored. `final`: no other outcome follows. `ended`: the handler has
   * ended; until then the outcome is kept at least as long as the lease.
   * @throws IdempotencyError when it could not be stored, although it was tried while there was time
   */
  complete(stored: EncodedOutcome, when: { readonly final: boolean; readonly ended: boolean }): Promise<Settled>;
  /**
   * Stores an outcome together with writes of the caller, or neither.
   * @throws IdempotencyError when it is not known whether they were written, or the store refused
   */
  transact(stored: EncodedOutcome, items: readonly never[]): Promise<Settled | ItemsRefused>;
  /** The outcome that was stored last is final. */
  confirm(): void;
  /** Lets a retry execute. The record stays: the next attempt needs a higher fencing token. */
  release(): Promise<Settled>;
}

/** A record that is not released becomes free at the end of its lease: a release is worth a moment, not more. */
const RELEASE_TRIES = 4;

export function holdRecord(context: ExecutionContext): HeldRecord {
  const { options, runtime, record, cache, format, tell } = context;
  const { store } = options;
  const { id, owner, fingerprint } = record;
  const { persist, write } = createPersistence(context, () => until);
  const inProgress = { owner, status: 'IN_PROGRESS' } as const;
  const checkpoints = new Map(Object.entries((record.checkpoints ?? {}) as CheckpointTexts));
  let until = record.leaseUntil;
  /** The lease that was proposed last, whether the store has it or not. */
  let proposed = until;
  /** Bytes by which the record may still grow, as the store has said last. */
  let { room } = context;
  /** The bytes of it that running steps need. */
  let reserved = 0;
  /** The lease write that is under way. */
  let turn: Promise<unknown> = Promise.resolve();
  /** The fencing token. It grows when this execution writes over a record that a successor has released. */
  let { attempt } = record;
  /** The outcome that was last seen in the store. The next one replaces it. */
  let seen: CompletedRecord | undefined;
  /** Whether the store certainly has it. */
  let isCertain = false;
  /** When the outcome expires. It never grows: another execution may already have seen it expire. */
  let retention: number | undefined;

  return {
    leaseUntil: () => until,
    kept: (name) => checkpoints.get(name),
    reserve(name) {
      const bytes = bytesOfStep(name);
      if (room !== undefined && reserved + bytes > room) return false;
      reserved += bytes;
      return true;
    },
    unreserve(name) {
      reserved -= bytesOfStep(name);
    },
    extend: (length) =>
      inTurn(async () => {
        const wanted = runtime.now() + length;
        // While the lease lasts, no other execution can have taken over: there is nothing to find out.
        if (wanted <= until) return 'written';
        return propose(wanted);
      }),
    checkpoint: (name, text) => inTurn(() => putCheckpoint(name, text)),
    complete,
    transact,
    confirm,
    release,
  };

  // The lease, while the record is in progress.

  /** One lease write at a time: of two that overlap, the older one could be written last. */
  function inTurn<T>(action: () => Promise<T>): Promise<T> {
    const result = turn.then(action);
    turn = result.catch(() => undefined);
    return result;
  }

  async function putCheckpoint(name: string, text: string): Promise<LeaseWrite> {
    checkpoints.set(name, text);
    try {
      return await propose(until);
    } catch (error) {
      // Later writes must not carry what the store never takes.
      if (storeFailure(error).recordRefused) checkpoints.delete(name);
      throw error;
    }
  }

  /** No two writes have the same lease: so a write whose answer was lost is recognised when it is met again. */
  function propose(wanted: number): Promise<LeaseWrite> {
    proposed = Math.max(proposed + 1, wanted);
    const expiration = expirationAt(runtime.now(), options, proposed);
    const next = { ...record, leaseUntil: proposed, expiration, checkpoints: keptCheckpoints() };
    return persist((millis) => putLease(next, millis));
  }

  async function putLease(next: InProgressRecord, millis?: number): Promise<LeaseWrite> {
    for (;;) {
      // Without the expected lease, a write that was given up and arrives late would undo a later one.
      const expected: Expected = { ...inProgress, leaseUntil: until };
      const answer = await write(() => store.replace(next, expected), millis);
      if (answer.done) {
        room = answer.room;
        until = next.leaseUntil;
        return 'written';
      }
      const { existing } = answer;
      if (existing?.owner !== owner) return 'lost';
      if (existing.status !== 'IN_PROGRESS') return 'settled';
      if (existing.leaseUntil <= until) throw storeTimeout('contradicts itself');
      // This write or an earlier one was applied, and its answer was lost.
      until = existing.leaseUntil;
    }
  }

  // The outcome.

  async function complete(
    stored: EncodedOutcome,
    { final, ended }: { final: boolean; ended: boolean },
  ): Promise<Settled> {
    const completed = completedWith(stored, final, ended ? 0 : until);
    if (!isCertain || !sameStored(seen?.outcome, completed.outcome)) return keep(completed, final);
    if (final) confirm();
    return DONE;
  }

  function confirm(): void {
    if (seen && isCertain) cache?.keep({ ...seen, revision: undefined });
  }

  async function transact(stored: EncodedOutcome, items: readonly never[]): Promise<Settled | ItemsRefused> {
    const before = retention;
    const token = runtime.randomToken();
    const completed = { ...completedWith(stored, false, until), transaction: token };
    const send = async () => store.transact?.(completed, inProgress, items, token) as Promise<TransactionResult>;
    let isDoubtful = false;
    const answer = await persist((millis, wasDoubtful) => {
      isDoubtful = wasDoubtful;
      return write(send, millis);
    });
    if ('itemsError' in answer) {
      // The store has not seen this expiration.
      if (!isDoubtful) retention = before;
      return { kind: 'itemsRefused', error: answer.itemsError, isDoubtful };
    }
    const existing = answer.done ? completed : answer.existing;
    // An outcome that another write of this execution has stored says nothing about these items.
    const isThis = isCompleted(existing) && existing.transaction === token;
    return isThis ? settledBy(existing, false) : lost(existing);
  }

  function completedWith(stored: EncodedOutcome, final: boolean, leaseUntil: number): CompletedRecord {
    const outcome = withinLimit(stored, store.maxOutcomeBytes);
    const base = ending();
    const leaseIsOver = Math.ceil((leaseUntil + options.clockSkewMillis) / 1000);
    retention ??= Math.max(base.expiration, leaseIsOver);
    return { ...base, expiration: retention, status: 'COMPLETED', outcome, revision: final ? undefined : 1 };
  }

  async function keep(completed: CompletedRecord, final: boolean): Promise<Settled> {
    // Until the store answers, it may have the earlier outcome or this one.
    isCertain = false;
    try {
      return settledBy(await persist((millis) => put(completed, millis)), final);
    } catch (error) {
      const failure = storeFailure(error);
      if (!failure.recordRefused || completed.outcome.type === 'NOT_REPLAYABLE') throw failure;
      // A smaller outcome still says that the work is done.
      return keep({ ...completed, outcome: notReplayable('the store refused it') }, final);
    }
  }

  /** Writes over the own record, and over what no execution holds. Answers what is in the store then. */
  async function put(completed: CompletedRecord, millis?: number): Promise<IdempotencyRecord | undefined> {
    const current = { ...completed, attempt };
    let next: Overwrite | undefined = seen ? amendment(seen, current) : { record: current, expected: inProgress };
    for (let first = true; ; first = false) {
      const { record, expected } = next;
      const verb = () => (expected ? store.replace(record, expected) : store.insert(record));
      const answer = await write(verb, first ? millis : undefined);
      if (answer.done) return record;
      const { existing } = answer;
      // A fencing token only grows.
      const token = Math.max(attempt, existing?.attempt ?? 0);
      next = overwrite(existing, { ...completed, attempt: token });
      if (!next) return existing;
      attempt = token;
    }
  }

  function settledBy(existing: IdempotencyRecord | undefined, final: boolean): Settled {
    if (existing?.owner !== owner || !isCompleted(existing)) return lost(existing);
    seen = existing;
    isCertain = true;
    if (final) confirm();
    const { outcome } = existing;
    tell({ type: 'completed', ...(outcome.type === 'NOT_REPLAYABLE' && { notReplayable: outcome.reason }) });
    return DONE;
  }

  function lost(existing: IdempotencyRecord | undefined): Settled {
    tell({ type: 'leaseLost' });
    const isOurs = isCompleted(existing) && existing.fingerprint === fingerprint;
    if (!isOurs || isExpired(existing, runtime.now())) return { kind: 'leaseLost' };
    let outcome: Outcome;
    try {
      outcome = format.decode(existing.outcome);
    } catch (error) {
      outcome = threw(error);
    }
    return { kind: 'superseded', outcome };
  }

  async function release(): Promise<Settled> {
    const released = { ...ending(), status: 'RELEASED', checkpoints: keptCheckpoints() } as const;
    try {
      const verb = (millis?: number) => write(() => store.replace(released, inProgress), millis);
      const answer = await persist(verb, RELEASE_TRIES);
      const existing = (!answer.done && answer.existing) || released;
      if (existing.owner !== owner) tell({ type: 'leaseLost' });
      // A completion of this execution may have been applied, although its answer was lost: it stays.
      else tell({ type: isCompleted(existing) ? 'completed' : 'released' });
    } catch (error) {
      tell({ type: 'releaseFailed', error: storeFailure(error) });
    }
    return DONE;
  }

  function ending() {
    const expiration = expirationAt(runtime.now(), options);
    return { id, owner, attempt, expiration, fingerprint };
  }

  function keptCheckpoints() {
    return checkpoints.size > 0 ? Object.fromEntries(checkpoints) : undefined;
  }
}

/** A name, the text that says that a step is done and is not replayable, and what a codec may add to it. */
function bytesOfStep(name: string): number {
  return Buffer.byteLength(name) + 250;
}
