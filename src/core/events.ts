import { isPromise } from '../json.ts';

/** What happened to a record, for metrics and logs. Emitted synchronously; what the callback throws is ignored. */
export type IdempotencyEvent = IdempotencyEventBase &
  (
    | { readonly type: 'claimed' }
    | { readonly type: 'takenOver'; readonly reason: 'retention over' | 'released' | 'lease over' }
    /** `fromCache`: this process had the outcome in memory, and did not ask the store. */
    | { readonly type: 'replayed'; readonly fromCache?: true }
    /** The work is done, but its response was not stored: the retry gets `RESPONSE_NOT_REPLAYABLE`. */
    | { readonly type: 'notReplayable' }
    | { readonly type: 'inFlight'; readonly retryAfterMillis: number }
    /** `onInFlight: { waitMillis }`: another execution is running, and this request begins to wait for its outcome. */
    | { readonly type: 'waiting'; readonly retryAfterMillis: number }
    | { readonly type: 'keyReused' }
    | { readonly type: 'outcomeUnknown' }
    /** No record: the key, the scope or the fingerprint is missing or malformed. `id` is empty, `attempt` 0. */
    | { readonly type: 'refused'; readonly error: unknown }
    /** The claim could not be made. The request is not executed, except with `onStoreError: 'run'` over HTTP. */
    | { readonly type: 'claimFailed'; readonly error: unknown }
    /**
     * The outcome is stored, or has replaced an earlier one of this execution. `notReplayable` says why its response is not
     * stored, where it could not be.
     */
    | { readonly type: 'completed'; readonly notReplayable?: string }
    | { readonly type: 'released' }
    /** The result of a step is kept for later attempts. */
    | { readonly type: 'checkpointed'; readonly step: string }
    /** An earlier attempt has done the step: its result was given, and it was not run. */
    | { readonly type: 'stepSkipped'; readonly step: string }
    /** The step is done, and its result could not be kept: a retry may do it again. */
    | { readonly type: 'checkpointFailed'; readonly step: string; readonly error: unknown }
    /** The lease was left to run out: by policy, or because the invocation timed out. */
    | { readonly type: 'held'; readonly reason: 'policy' | 'timeout' }
    /** This execution noticed, at a write, that another one has taken over. */
    | { readonly type: 'leaseLost' }
    /** The outcome could not be written: the lease is kept, a retry after it executes again. */
    | { readonly type: 'completionFailed'; readonly error: unknown }
    /** The record could not be released: a retry has to wait for the end of the lease. */
    | { readonly type: 'releaseFailed'; readonly error: unknown }
    /** The `settle` option threw or answered something else than `'store'`, `'release'` or `'hold'`. */
    | { readonly type: 'settlePolicyFailed'; readonly error: unknown }
    /**
     * Executed without a guard: `onMissingKey: 'run'`, or over HTTP `required: false` or `onStoreError: 'run'`, or a guard that
     * an operator has switched off. `id` is empty, `attempt` 0.
     */
    | { readonly type: 'unguarded' }
  );

interface IdempotencyEventBase {
  readonly operation: string;
  /** The record id. */
  readonly id: string;
  readonly attempt: number;
  /** Milliseconds since this request's claim began. */
  readonly durationMillis: number;
}

export type IdempotencyEventType = IdempotencyEvent['type'];

type Detail<T> = T extends IdempotencyEvent ? Omit<T, keyof IdempotencyEventBase> : never;
export type EventDetail = Detail<IdempotencyEvent>;

/** Tells the user's callback, and never lets its failure reach the request. */
export function emit(onEvent: ((event: IdempotencyEvent) => unknown) | undefined, event: IdempotencyEvent): void {
  try {
    isPromise(onEvent?.(event));
  } catch {
    // Observation must not change what is observed.
  }
}
