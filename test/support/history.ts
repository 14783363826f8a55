/**
 * What happened in a run, as a witness outside of the guards saw it: plain data, for the oracle to judge.
 *
 * Everything that is known of the code under test stands in the events. `at` is true time, epoch milliseconds, and
 * never goes back; events of the same time are in the order of the list. One `call` is one request of one client: a
 * client that tries again makes another call under the same key.
 */
export interface History {
  readonly terms: Terms;
  readonly events: readonly HistoryEvent[];
}

/** What the guards of the run were told, and what the witness could see. */
export interface Terms {
  readonly clockSkewMillis: number;
  readonly onExpiredLease: 'run' | 'throw';
  /** Whether no two clocks (true time is one of them) are further apart than the tolerance. */
  readonly clocksAgree: boolean;
  /** Whether no process was ever stopped for a while, so that its timers came late. */
  readonly punctual: boolean;
  /** Whether `wrote`, `conflicted`, `failed` and `deleted` are complete. Without them fewer promises can be judged. */
  readonly storeSeen: boolean;
  /** How long an outcome's write is tried at least, as long as the lease lives: less the time kept for the answer. */
  readonly patienceMillis: number;
}

/** What an execution ended with, as text that no other execution has. */
export interface Ending {
  readonly kind: 'returned' | 'threw';
  readonly text: string;
  /** Whether it can be stored only as "done": JSON refuses it, or the store does. */
  readonly notReplayable?: boolean;
}

/** What a caller got. `refused`: an `IdempotencyError` of this code. */
export type Answer = Ending | { readonly kind: 'refused'; readonly code: string };

/** What the table has under a key. */
export interface Seen {
  readonly status: 'IN_PROGRESS' | 'COMPLETED' | 'RELEASED';
  /** The call that has claimed, completed or released it. */
  readonly by: string;
  readonly attempt: number;
  /** Epoch milliseconds on its owner's clock. */
  readonly leaseUntil?: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** The stored outcome as text, where there is one; `undefined` also where it is not replayable. */
  readonly text?: string;
}

interface Base<Type extends string> {
  readonly type: Type;
  readonly at: number;
  readonly call: string;
}

export type HistoryEvent =
  /**
   * A request comes in. `offset`: what its host's clock shows, less true time. `deadline`: when its process is stopped
   * in any case, true time. `probe`: see the oracle's progress.
   */
  | (Base<'called'> & {
      readonly key: string;
      readonly payload: string;
      readonly offset: number;
      readonly leaseMillis: number;
      readonly deadline?: number;
      readonly probe?: boolean;
    })
  /** Its handler begins. */
  | (Base<'started'> & { readonly attempt: number; readonly leaseUntil: number })
  /** It was told that its lease lasts until then, on its own clock. */
  | (Base<'extended'> & { readonly leaseUntil: number })
  /** Its handler ended. `settlement`: what the user's policy says of such an outcome. */
  | (Base<'ended'> & { readonly outcome: Ending; readonly settlement: 'store' | 'release' | 'hold' })
  /** Its caller was answered early by a timeout; the handler may go on. */
  | Base<'timedOut'>
  | (Base<'answered'> & { readonly answer: Answer })
  /** Its process died: nothing of it goes on but what it had sent. */
  | Base<'crashed'>
  /** What the guard's own events said: `completed`, `completionFailed`, `released`, `leaseLost`, … */
  | (Base<'reported'> & { readonly report: string })
  /** A write of it took effect. `stray`: a copy that its client had given up for lost, so that nobody could know. */
  | (Base<'wrote'> & {
      readonly key: string;
      readonly before: Seen | undefined;
      readonly after: Seen | undefined;
      readonly stray: boolean;
    })
  /** The condition of a write failed. */
  | (Base<'conflicted'> & { readonly key: string; readonly found: Seen | undefined })
  /** A request of it failed on the way: throttled, refused, lost or hanging. Whether it took effect is in `wrote`. */
  | (Base<'failed'> & { readonly retryable: boolean })
  /** The table's TTL removed a record. */
  | { readonly type: 'deleted'; readonly at: number; readonly key: string; readonly before: Seen };

/** A promise that does not hold, and where. */
export interface Violation {
  readonly promise: string;
  readonly at: number;
  readonly message: string;
}
