import { refuseUnknownOptions } from '../core/options.ts';
import type { Runtime } from '../core/runtime.ts';
import { createMiddleware, type IdempotencyContext, type IdempotencyMiddleware } from '../middy/lifecycle.ts';
import { createOperation } from '../operation.ts';
import { systemRuntime } from '../runtime.ts';
import { warnOfSharedDefault } from '../warnings.ts';
import { httpFormat } from './format.ts';
import { HTTP_OPTION_NAMES, type HttpIdempotencyOptions, resolveHttpOptions } from './options.ts';
import { problemFor } from './reject.ts';
import { readRequest } from './request.ts';
import { operationOptions } from './selectors.ts';

export { type HttpIdempotencyOptions, type ProblemHeaders, type ProblemMiddleware, settleByStatus } from './options.ts';

/**
 * A Middy middleware for an API behind API Gateway (REST, HTTP API), a Lambda Function URL or an ALB. It has the semantics of
 * the `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header-07), and Stripe's where the draft is silent. Requests that it refuses are answered with problem details (RFC 9457); what the handler throws is
 * rethrown as it is. Use it FIRST.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 */
export function httpIdempotency<TEvent = unknown, TItem = never>(
  options: HttpIdempotencyOptions<TEvent, TItem>,
): IdempotencyMiddleware<TEvent, IdempotencyContext<TItem>> {
  return createHttpIdempotency(options, systemRuntime) as IdempotencyMiddleware<never, never>;
}

/** `httpIdempotency` with the clock, the randomness and the timers passed in. @internal */
export function createHttpIdempotency(
  options: HttpIdempotencyOptions<never>,
  runtime: Runtime,
): IdempotencyMiddleware<unknown, unknown> {
  refuseUnknownOptions(options, HTTP_OPTION_NAMES);
  const http = resolveHttpOptions(options);
  if (options.operation === undefined) warnOfSharedDefault(options.store, 'a handler');
  return createMiddleware({
    name: 'httpIdempotency',
    operation: createOperation(operationOptions(options, http.headerName), runtime, [], ['claimFailed', 'refused']),
    timeoutEarlyInMillis: options.timeoutEarlyInMillis,
    read(request) {
      const read = readRequest(request.event);
      if (!http.methods.has(read.method)) return undefined;
      return {
        args: [request.event, read],
        format: httpFormat(read, http.droppedHeaders),
        runsUnanswered: http.onStoreError === 'run',
        reject: (error) => problemFor(error, request, read, http),
      };
    },
  });
}
