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
  /** Whether no two clocks (true time is one of them) are ever further apart than the tolerance. */
  readonly clocksAgree: boolean;
  /** Whether no process was ever stopped for a while, so that its timers came late. */
  readonly punctual: boolean;
  /** Whether `wrote`, `conflicted`, `failed` and `deleted` are complete. Without them fewer promises can be judged. */
  readonly storeSeen: boolean;
  /** How long an outcome's write is tried at least, as long as the lease lives: less the time kept for the answer. */
  readonly patienceMillis: number;
  /** How late a timer, or an execution, may come because the machine is busy. @default 0: time is simulated */
  readonly noiseMillis?: number;
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
  /** The results of steps by name, while there is no outcome; `NOT_KEPT` where only the fact that it is done is kept. */
  readonly checkpoints?: Readonly<Record<string, string>>;
  /** Of an outcome in parts: whether all of them are there. */
  readonly whole?: boolean;
}

/** What is seen of a step whose result has an item of its own, when that is not there. */
export const LOST_RESULT = 'a result that is gone';

interface Base<Type extends string> {
  readonly type: Type;
  readonly at: number;
  readonly call: string;
}

/** What a checkpoint has of a step whose result the record could not hold. */
export const NOT_KEPT = 'a result that is not kept';

export type HistoryEvent =
  /**
   * A request comes in. `offset`: what its host's clock shows then, less true time. `deadline`: when its process is stopped
   * in any case, true time. `probe`: see the oracle's progress. `waitMillis`: how long it may wait for another one's
   * outcome. `transaction`: whether it makes a plan and writes once, without a claim. `repeats`: whether that plan may be made
   * again, because it is rolled back.
   */
  | (Base<'called'> & {
      readonly key: string;
      readonly payload: string;
      readonly offset: number;
      readonly leaseMillis: number;
      readonly deadline?: number;
      readonly probe?: boolean;
      readonly waitMillis?: number;
      readonly transaction?: boolean;
      readonly repeats?: boolean;
    })
  /** The clock of its host steps: what that shows from here on, less true time. */
  | (Base<'clockStepped'> & { readonly offset: number })
  /** Its handler begins. */
  | (Base<'started'> & { readonly attempt: number; readonly leaseUntil: number })
  /** It was told that its lease lasts until then, on its own clock. */
  | (Base<'extended'> & { readonly leaseUntil: number })
  /** Its handler has asked for the signal, and was given it. */
  | Base<'watching'>
  /** The signal has fired. */
  | Base<'signalled'>
  /** The function of a step begins. */
  | (Base<'stepBegan'> & { readonly step: string })
  /** It has ended: with a result, as text that no other run of it has, or by throwing. */
  | (Base<'stepEnded'> & { readonly step: string; readonly result?: string })
  /** The handler was given the result of a step: the step is done. */
  | (Base<'stepTold'> & { readonly step: string; readonly result: string })
  /** Its handler begins to store this response before its end: `complete`, or `transact`, which has an effect. */
  | (Base<'finishing'> & { readonly by: 'complete' | 'transact'; readonly text: string })
  /** The plan of a transaction throws this. */
  | (Base<'planFailed'> & { readonly text: string })
  /** A condition of what a transaction wants to write has failed, and the record was not in the way. `text`: how that is told. */
  | (Base<'itemsRefused'> & { readonly key: string; readonly text: string })
  /** The handler was told that its response is stored. */
  | (Base<'finished'> & { readonly text: string })
  /** Writes of the caller took effect: those of its `transact`. `key`: whose. */
  | (Base<'effect'> & { readonly key: string })
  /**
   * Its handler ended. `settlement`: what the user's policy says of such an outcome. `kept`: what retries get, where the
   * handler has stored that before and its caller gets something else.
   */
  | (Base<'ended'> & {
      readonly outcome: Ending;
      readonly settlement: 'store' | 'release' | 'hold';
      readonly kept?: string;
    })
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
  /** A read of it that it still waited for, and what it found. */
  | (Base<'looked'> & { readonly key: string; readonly found: Seen | undefined })
  /** A request of it failed on the way: throttled, refused, lost or hanging. Whether it took effect is in `wrote`. */
  | (Base<'failed'> & { readonly retryable: boolean })
  /** A write of it was refused: the record would be larger than a record may be. */
  | Base<'full'>
  /** The table's TTL removed a record. */
  | { readonly type: 'deleted'; readonly at: number; readonly key: string; readonly before: Seen }
  /** A part of an outcome of it was lost: by TTL, by somebody's hand. */
  | { readonly type: 'partLost'; readonly at: number; readonly key: string };

/** A promise that does not hold, and where. */
export interface Violation {
  readonly promise: string;
  readonly at: number;
  readonly message: string;
}
