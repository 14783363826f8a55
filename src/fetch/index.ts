import { refuseUnknownOptions, requireFunctionIfGiven } from '../core/options.ts';
import type { Runtime } from '../core/runtime.ts';
import { IdempotencyError, optionError } from '../errors.ts';
import { executed, remainingAmong, unwrap } from '../function.ts';
import { httpFormat } from '../http/format.ts';
import { HTTP_OPTION_NAMES, type HttpIdempotencyOptions, resolveHttpOptions } from '../http/options.ts';
import { problemResponse } from '../http/problem.ts';
import { operationOptions } from '../http/selectors.ts';
import { createOperation } from '../operation.ts';
import { requireOperation } from '../request-key/request-options.ts';
import { systemRuntime } from '../runtime.ts';
import { warnOfSharedDefault } from '../warnings.ts';
import { type RouteHandle, routeHandle } from './handle.ts';
import { readFetch } from './request.ts';
import { responseFrom, storedForm } from './response.ts';

export type { RouteHandle } from './handle.ts';

/** Those of Middy, and `migrateFrom`: Powertools guards events of Lambda, which a route does not see. */
type OfEvents = 'problemHeaders' | 'problemsThrough' | 'timeoutEarlyInMillis' | 'migrateFrom';

/** The options of `httpIdempotency`, without those for Middy and for events. `Rest` is what else the guard is called with. */
export interface RouteOptions<Rest extends readonly unknown[] = readonly [], TItem = never>
  extends Omit<HttpIdempotencyOptions<Request, TItem>, OfEvents | 'scope' | 'fingerprint'> {
  /**
   * Who is calling, by a function of the request and of the further arguments: the user that a middleware in front has
   * verified. `'anonymous'`: all callers share one space of keys.
   */
  readonly scope: 'anonymous' | ((request: Request, ...rest: Rest) => unknown);
  /** What must stay the same between retries. With it, the body is not read. @default method, host, path, query, media type and body */
  readonly fingerprint?: (request: Request, ...rest: Rest) => unknown;
}

/**
 * Answers a request, or lets `next` do it. `next` gets the handle, or `undefined` where the request is not guarded. With a
 * Lambda context among the further arguments, the lease follows its remaining time.
 */
export type RouteGuard<Rest extends readonly unknown[] = readonly [], TItem = never> = (
  request: Request,
  next: (handle: RouteHandle<TItem> | undefined) => Response | Promise<Response>,
  ...rest: Rest
) => Promise<Response>;

/**
 * The semantics of `httpIdempotency` on web-standard requests: for a route of Hono, or of any server that takes a `Request` and
 * gives a `Response`. Refusals are the same problem details. What `next` throws is rethrown as it is.
 *
 * Both bodies are read as a whole. A response with `Transfer-Encoding`, or of `text/event-stream`, is a stream: the first caller
 * gets it, and a retry gets `RESPONSE_NOT_REPLAYABLE`.
 *
 * @throws TypeError at construction when an option is wrong; the message names it. From the guard, when the body of a request
 *   was read before
 */
export function idempotentRoute<Rest extends readonly unknown[] = readonly [], TItem = never>(
  options: RouteOptions<Rest, TItem>,
): RouteGuard<Rest, TItem> {
  return createRoute(options as unknown as AnyOptions, systemRuntime) as RouteGuard<Rest, TItem>;
}

const OF_EVENTS: readonly string[] = [
  'problemHeaders',
  'problemsThrough',
  'timeoutEarlyInMillis',
  'migrateFrom',
] satisfies OfEvents[];
const OPTION_NAMES = HTTP_OPTION_NAMES.filter((name) => !OF_EVENTS.includes(name));

type AnyOptions = RouteOptions<readonly never[]>;

/** `idempotentRoute` with the clock, the randomness and the timers passed in. @internal */
export function createRoute(options: AnyOptions, runtime: Runtime): RouteGuard<readonly unknown[]> {
  refuseUnknownOptions(options, OPTION_NAMES);
  const { scope, fingerprint } = options;
  if (scope !== 'anonymous' && typeof scope !== 'function') {
    throw optionError('scope', "is required: a function of the request, or 'anonymous'");
  }
  requireFunctionIfGiven('fingerprint', fingerprint);
  const selectors = { scope: ofRequest(scope), fingerprint: ofRequest(fingerprint) };
  const http = resolveHttpOptions(options as HttpIdempotencyOptions<never>);
  const given = { ...options, ...selectors } as unknown as HttpIdempotencyOptions<never>;
  const { admit, unguarded, operation } = createOperation(
    operationOptions(given, http.headerName),
    runtime,
    [],
    ['claimFailed', 'refused'],
  );
  requireOperation(operation);
  if (options.operation === undefined) warnOfSharedDefault(options.store, 'a handler');

  return async function idempotentRoute(request, next, ...rest) {
    if (!http.methods.has(request.method.toUpperCase())) return next(undefined);
    // Without a key there is nothing to compare it with.
    const comparesBody = fingerprint === undefined && request.headers.has(http.headerName);
    const read = await readFetch(request, comparesBody);
    const format = httpFormat(read, http.droppedHeaders);
    const invocation = { args: [request, read, ...rest], remaining: remainingAmong(rest), format };
    let isOfRoute = false;
    try {
      const admission = await admit(invocation);
      switch (admission.kind) {
        case 'replay':
          isOfRoute = true;
          return responseFrom(unwrap(admission.outcome));
        case 'execute': {
          const { execution } = admission;
          const handle = routeHandle(execution.handle);
          const outcome = await executed(execution, async () => {
            isOfRoute = true;
            const response = await next(handle);
            isOfRoute = false;
            return storedForm(response);
          });
          return responseFrom(unwrap(outcome));
        }
        case 'unanswered':
          if (http.onStoreError === 'throw') throw admission.error;
          unguarded(invocation);
      }
    } catch (error) {
      // What the route throws is its own, also where it is an error of another guard.
      if (isOfRoute || !(error instanceof IdempotencyError)) throw error;
      return responseFrom(problemResponse(error, read, http.problems, undefined));
    }
    return next(undefined);
  };
}

type OfRequest = (request: Request, ...rest: readonly never[]) => unknown;

/** Selectors of HTTP get what was read of the request as their second argument. */
function ofRequest<T>(selector: OfRequest | T) {
  if (typeof selector !== 'function') return selector;
  return (request: Request, _read: unknown, ...rest: readonly never[]) => (selector as OfRequest)(request, ...rest);
}
