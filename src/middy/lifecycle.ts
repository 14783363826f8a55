import type { Context } from 'aws-lambda';
import type { Execution } from '../core/execution/execution.ts';
import type { IdempotencyHandle } from '../core/execution/handle.ts';
import { claimTimeout } from '../core/record/failures.ts';
import type { Outcome, ReplayFormat } from '../core/record/outcome.ts';
import { type Operation, refuseDurable, remainingOf } from '../operation.ts';
import { type MiddyRequest, stateOf, watchRequest } from './request.ts';
import { createRun, type MiddyRun } from './run.ts';
import { middyTimeout, type TimeoutWatch } from './timeout.ts';

export interface IdempotencyMiddleware<TEvent, TContext> {
  readonly name: string;
  before(request: MiddyRequest<TEvent, TContext>): Promise<void>;
  after(request: MiddyRequest<TEvent, TContext>): Promise<void>;
  onError(request: MiddyRequest<TEvent, TContext>): Promise<void>;
}

/**
 * The handler's context: Lambda's, and the handle of the guarded execution. The handle is `undefined` where the request runs
 * unguarded. Its type is optional in every case: Middy has one type for the handler's context and for what its caller
 * passes. That is Lambda's context, which has no handle.
 */
export interface IdempotencyContext<TItem = never> extends Context {
  idempotency?: IdempotencyHandle<TItem> | undefined;
}

/**
 * The handler's context where every request is guarded: `middy<Event, Result, Error, GuardedContext>()`. The handler's type
 * then asks its caller for a handle, too: it is no `Handler` of `aws-lambda`.
 */
export interface GuardedContext<TItem = never> extends IdempotencyContext<TItem> {
  idempotency: IdempotencyHandle<TItem>;
}

/** One request, as a guard reads it. */
interface GuardedRequest {
  /** The arguments of the selectors for key, scope and fingerprint. */
  readonly args: readonly unknown[];
  readonly format: ReplayFormat;
  /** Whether the request may run unguarded when the store gives no answer. */
  readonly runsUnanswered: boolean;
  /** The response that answers a rejection. @throws the error, where the guard answers by throwing */
  reject(error: unknown): unknown;
}

interface Guard {
  readonly name: string;
  readonly operation: Operation;
  readonly timeoutEarlyInMillis: number | undefined;
  /** @returns `undefined` where the request is not guarded */
  read(request: MiddyRequest): GuardedRequest | undefined;
}

/** What both guards do in Middy's three hooks. */
export function createMiddleware(guard: Guard): IdempotencyMiddleware<unknown, unknown> {
  const { name, operation, read } = guard;
  const watchTimeout = middyTimeout(guard.timeoutEarlyInMillis);
  const key = Symbol(name);

  return {
    name,
    async before(request) {
      refuseDurable(request.context);
      const remaining = remainingOf(request.context);
      const timeout = watchTimeout(remaining);
      const guarded = read(request);
      if (!guarded) return attachHandle(request, undefined);
      const { functionName } = (request.context ?? {}) as { functionName?: string };
      const { args, format } = guarded;
      const invocation = { args, remaining, functionName, format };
      let replay: Outcome;
      try {
        const admission = await operation.admit(invocation);
        if (admission.kind === 'execute') {
          stateOf(request).runs.set(key, await start(request, guarded, admission.execution, timeout));
          return;
        }
        if (admission.kind === 'unanswered') {
          if (!guarded.runsUnanswered || timeout.isHalfOver()) throw admission.error;
          operation.unguarded(invocation);
        }
        if (admission.kind !== 'replay') return attachHandle(request, undefined);
        replay = admission.outcome;
      } catch (error) {
        return reject(request, guarded, error);
      }
      if (replay.kind === 'threw') throw replay.error;
      await answerEarly(request, replay.value);
    },
    async after(request) {
      await stateOf(request).runs.get(key)?.after();
    },
    async onError(request) {
      await stateOf(request).runs.get(key)?.onError();
    },
  };
}

/** Nothing was executed. A guard in front of this one must not store the rejection as the outcome. */
async function reject(request: MiddyRequest, guarded: GuardedRequest, error: unknown): Promise<void> {
  const state = stateOf(request);
  state.rejection = error;
  state.rejection = await guarded.reject(error);
  await answerEarly(request, state.rejection);
}

/**
 * Ends the chain. Middy calls no other hook for this request. The middlewares of Powertools leave a function in
 * `request.internal` for that: it closes a segment or flushes metrics (`cleanupMiddlewares` of
 * `@aws-lambda-powertools/commons`, which has this order).
 */
async function answerEarly(request: MiddyRequest, response: unknown): Promise<void> {
  for (const name of ['tracer', 'metrics', 'logger']) {
    try {
      await request.internal?.[`powertools-for-aws.${name}`]?.(request);
    } catch {
      // The request has its answer.
    }
  }
  // Unlike a returned value, `earlyResponse` can also be `undefined`.
  request.earlyResponse = response;
}

/**
 * From here on the request is guarded: its handler has the handle, and its end is settled.
 *
 * @throws IdempotencyError `STORE_UNAVAILABLE` when the claim took so long that Middy would end the handler at once
 */
async function start(
  request: MiddyRequest,
  { reject }: GuardedRequest,
  execution: Execution,
  timeout: TimeoutWatch,
): Promise<MiddyRun> {
  if (timeout.tooLateToStart()) {
    await execution.release();
    throw claimTimeout('took all the time that the invocation had');
  }
  const run = createRun({ request, execution, timeout, reject });
  attachHandle(request, execution.handle);
  watchRequest(request, run);
  stateOf(request).inside = execution;
  return run;
}

/**
 * Sets `context.idempotency`. A context that is frozen, or has a handle of another guard or request, is not changed.
 * The request then gets a context that inherits from it.
 */
function attachHandle(request: MiddyRequest, handle: IdempotencyHandle | undefined): void {
  const context = (request.context ?? {}) as object;
  const own = { idempotency: handle };
  request.context =
    'idempotency' in context || !Object.isExtensible(context)
      ? Object.create(context, Object.getOwnPropertyDescriptors(own))
      : Object.assign(context, own);
}
