import { isUnanswered } from '../core/claim/claim.ts';
import type { IdempotencyHandle } from '../core/execution/handle.ts';
import { refuseUnknownOptions } from '../core/options.ts';
import type { Runtime } from '../core/runtime.ts';
import { requestRuns } from '../middy/runs.ts';
import { attachHandle, startRun } from '../middy/start.ts';
import { middyTimeout } from '../middy/timeout.ts';
import type { IdempotencyContext, IdempotencyMiddleware } from '../middy.ts';
import { createOperation, type Operation, refuseDurable, remainingOf } from '../operation.ts';
import { systemRuntime } from '../runtime.ts';
import { warnOfSharedDefault } from '../warnings.ts';
import {
  HTTP_OPTION_NAMES,
  type HttpIdempotencyOptions,
  type ResolvedHttpOptions,
  resolveHttpOptions,
  settleByStatus,
} from './options.ts';
import { presented, replayOf } from './presented.ts';
import { problemFor } from './refuse.ts';
import { readRequest } from './request.ts';
import { httpSelectors } from './selectors.ts';

export { type HttpIdempotencyOptions, type ProblemMiddleware, settleByStatus } from './options.ts';

/**
 * A Middy middleware that gives an API behind API Gateway (REST, HTTP API), a Lambda Function URL or an ALB the
 * semantics of the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header-07), with Stripe's where the
 * draft is silent. Requests that it refuses are answered with problem details (RFC 9457); what the handler throws is
 * rethrown as it is. Use it FIRST.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 */
export function httpIdempotency<TEvent = unknown, TItem = never>(
  options: HttpIdempotencyOptions<TEvent, TItem>,
): IdempotencyMiddleware<TEvent, IdempotencyContext<IdempotencyHandle<TItem> | undefined>> {
  return createHttpMiddleware(options, systemRuntime) as IdempotencyMiddleware<never, never>;
}

/** `httpIdempotency` with the clock, the randomness and the timers passed in. @internal */
export function createHttpMiddleware(
  options: HttpIdempotencyOptions<never>,
  runtime: Runtime,
): IdempotencyMiddleware<unknown, unknown> {
  refuseUnknownOptions(options, HTTP_OPTION_NAMES);
  const http = resolveHttpOptions(options);
  const operation = operationFor(options, http, runtime);
  if (options.operation === undefined) warnOfSharedDefault(options.store, 'a handler');
  const watchTimeout = middyTimeout(options.timeoutEarlyInMillis);
  const runs = requestRuns();

  return {
    name: 'httpIdempotency',
    async before(request) {
      refuseDurable(request.context);
      const remaining = remainingOf(request.context);
      const timeout = watchTimeout(remaining);
      const read = readRequest(request.event);
      if (!http.methods.has(read.method)) return attachHandle(request, undefined);
      const { functionName } = (request.context ?? {}) as { functionName?: string };
      const invocation = { args: [request.event, read], remaining, functionName };
      try {
        const admission = await operation.admit(invocation);
        if (admission.kind === 'unguarded') return attachHandle(request, undefined);
        if (admission.kind === 'replay') return replayOf(admission.outcome, request, read);
        const execution = presented(admission.execution, read, http.droppedHeaders);
        const refuse = (error: unknown) => problemFor(error, request, read, http);
        runs.begin(request, await startRun(request, execution, timeout, refuse));
      } catch (error) {
        if (http.onStoreError === 'run' && isUnanswered(error) && !timeout.isHalfOver()) {
          operation.unguarded(invocation);
          return attachHandle(request, undefined);
        }
        request.earlyResponse = await problemFor(error, request, read, http);
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

function operationFor(options: HttpIdempotencyOptions<never>, http: ResolvedHttpOptions, runtime: Runtime): Operation {
  const { scope, methods: _m, headerName: _h, required = true, fingerprint, onStoreError: _s, ...rest } = options;
  const {
    problemBaseUri: _p,
    describedBy: _d,
    problemsThrough: _t,
    dropHeaders: _r,
    timeoutEarlyInMillis: _e,
    // `undefined` is not given, too: a spread over the default would leave the protocol's own, which stores a 500.
    settle = settleByStatus,
    ...own
  } = rest;
  const selectors = httpSelectors({ scope, fingerprint }, http.headerName);
  const onMissingKey = required ? 'throw' : 'run';
  // Stryker disable next-line ArrayDeclaration: options that are not known have been refused already
  return createOperation(
    { ...own, settle, ...selectors, onMissingKey } as never,
    runtime,
    [],
    ['claimFailed', 'refused'],
  );
}
