import type { Context } from 'aws-lambda';
import type { IdempotencyHandle } from './core/execution/handle.ts';
import type { Outcome } from './core/record/outcome.ts';
import type { Runtime } from './core/runtime.ts';
import { markRefusal } from './middy/refusal.ts';
import type { MiddyRequest } from './middy/request.ts';
import { requestRuns } from './middy/runs.ts';
import { attachHandle, startRun } from './middy/start.ts';
import { middyTimeout } from './middy/timeout.ts';
import { createOperation, type OperationOptions, refuseDurable, remainingOf } from './operation.ts';
import { systemRuntime } from './runtime.ts';
import { warnOfSharedDefault } from './warnings.ts';

/** `TItem` is what the store's transactions are made of: see `IdempotencyHandle.transact`. */
export interface IdempotencyOptions<TEvent = unknown, TItem = never>
  extends OperationOptions<readonly [event: TEvent], TItem> {
  /**
   * The same number that `middy()` was given, whenever it was given one: an answer that comes when no more than this is
   * left is that of Middy's early timeout, not the handler's, and is never stored.
   * @default 5, as in Middy
   */
  readonly timeoutEarlyInMillis?: number;
}

/** The handler's context: Lambda's, and the handle of the guarded execution. */
export interface IdempotencyContext<THandle = IdempotencyHandle> extends Context {
  idempotency: THandle;
}

export interface IdempotencyMiddleware<TEvent, TContext> {
  readonly name: string;
  before(request: MiddyRequest<TEvent, TContext>): Promise<void>;
  after(request: MiddyRequest<TEvent, TContext>): Promise<void>;
  onError(request: MiddyRequest<TEvent, TContext>): Promise<void>;
}

/**
 * A Middy middleware (`@middy/core` 6 and 7) that gives a retry the stored outcome instead of a second execution.
 *
 * Use it FIRST: then its key is computed from the event as it came, before other middlewares change it, and what it
 * stores is the response as it leaves, after they have changed that.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 * @throws IdempotencyError from the invocation: see `IdempotencyErrorCode`
 */
export function idempotency<TEvent = unknown, TItem = never>(
  options: IdempotencyOptions<TEvent, TItem> & { readonly onMissingKey?: 'throw' },
): IdempotencyMiddleware<TEvent, IdempotencyContext<IdempotencyHandle<TItem>>>;
/** Where it is not certain that `onMissingKey` is `'throw'`, an execution may be unguarded and have no handle. */
export function idempotency<TEvent = unknown, TItem = never>(
  options: IdempotencyOptions<TEvent, TItem>,
): IdempotencyMiddleware<TEvent, IdempotencyContext<IdempotencyHandle<TItem> | undefined>>;
export function idempotency(options: IdempotencyOptions<never>): IdempotencyMiddleware<never, never> {
  return createMiddleware(options, systemRuntime) as IdempotencyMiddleware<never, never>;
}

/** `idempotency` with the clock, the randomness and the timers passed in. @internal */
export function createMiddleware(
  options: IdempotencyOptions<never>,
  runtime: Runtime,
): IdempotencyMiddleware<unknown, unknown> {
  const { admit } = createOperation(options, runtime, ['timeoutEarlyInMillis']);
  if (options.operation === undefined) warnOfSharedDefault(options.store, 'a handler');
  const watchTimeout = middyTimeout(options.timeoutEarlyInMillis);
  const runs = requestRuns();

  return {
    name: 'idempotency',
    async before(request) {
      refuseDurable(request.context);
      const remaining = remainingOf(request.context);
      const timeout = watchTimeout(remaining);
      const { functionName } = (request.context ?? {}) as { functionName?: string };
      const admission = await refusing(request, admit({ args: [request.event], remaining, functionName }));
      switch (admission.kind) {
        case 'unguarded':
          return attachHandle(request, undefined);
        case 'replay':
          return replay(request, admission.outcome);
        case 'execute':
          runs.begin(request, await refusing(request, startRun(request, admission.execution, timeout)));
      }
    },
    async after(request) {
      await runs.of(request)?.after();
    },
    async onError(request) {
      await runs.of(request)?.onError();
    },
  };
}

/** What fails here is no outcome: nothing was executed. */
async function refusing<T>(request: MiddyRequest, admitting: Promise<T>): Promise<T> {
  try {
    return await admitting;
  } catch (error) {
    markRefusal(request, error);
    throw error;
  }
}

/** Ends Middy's chain: `earlyResponse`, unlike a returned value, can also be `undefined`. */
function replay(request: MiddyRequest, outcome: Outcome): void {
  if (outcome.kind === 'threw') throw outcome.error;
  request.earlyResponse = outcome.value;
}
