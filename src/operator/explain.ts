import { IdempotencyError } from '../errors.ts';
import { type HttpIdempotencyOptions, resolveHttpOptions } from '../http/options.ts';
import { readRequest } from '../http/request.ts';
import { httpSelectors } from '../http/selectors.ts';
import { identify } from '../request-key/identify.ts';
import {
  type RequestOptions,
  type ResolvedRequestOptions,
  requireOperation,
  resolveRequestOptions,
} from '../request-key/request-options.ts';

interface Request<TEvent> {
  /** The option `operation` of the guard; where it has none, the Lambda function's name. */
  readonly operation: string;
  /** As the handler gets it; of a guarded function, its first argument. */
  readonly event: TEvent;
}

/** A request, and how its guard identifies it. */
export type RequestToIdentify<TEvent = unknown> =
  /** Of `idempotency` and `idempotent`. */
  | (Request<TEvent> & Pick<RequestOptions<readonly [event: TEvent]>, 'key' | 'scope' | 'fingerprint'>)
  /** Of `httpIdempotency`. */
  | (Request<TEvent> & {
      readonly http: Pick<HttpIdempotencyOptions<TEvent>, 'scope' | 'fingerprint' | 'headerName' | 'methods'>;
    });

/** How the running guard identifies a request. */
export type Explanation =
  | {
      readonly kind: 'guarded';
      /** The record id. */
      readonly id: string;
      readonly operation: string;
      readonly key: unknown;
      readonly scope?: unknown;
      readonly fingerprint?: string;
    }
  /** It is not executed. `key` and `scope` are what was selected, if anything was. */
  | { readonly kind: 'refused'; readonly error: IdempotencyError; readonly key?: unknown; readonly scope?: unknown }
  /** It is executed without a record. */
  | { readonly kind: 'unguarded'; readonly reason: string };

/**
 * The record id that a running guard with these options uses for the event: it is computed by the same code.
 *
 * @returns `undefined` where `httpIdempotency` does not guard the request's method
 * @throws IdempotencyError `KEY_MISSING`, `SCOPE_MISSING`, `KEY_INVALID`, as the guard refuses the request
 * @throws TypeError that names the wrong option
 */
export function recordId<TEvent>(request: RequestToIdentify<TEvent>): string | undefined {
  const explanation = explainRequest(request);
  if (explanation.kind === 'refused') throw explanation.error;
  return explanation.kind === 'guarded' ? explanation.id : undefined;
}

/**
 * The record id with what it was made of, or why the request has none.
 *
 * @throws TypeError that names the wrong option
 */
export function explainRequest<TEvent>(request: RequestToIdentify<TEvent>): Explanation {
  const { operation } = request;
  requireOperation(operation);
  const { options, read } = 'http' in request ? overHttp(request.http) : directly(request);
  try {
    const args = read(request.event);
    return typeof args === 'string' ? { kind: 'unguarded', reason: args } : explain(options, operation, args);
  } catch (error) {
    return refused(error);
  }
}

interface Reading {
  readonly options: ResolvedRequestOptions;
  /** What the selectors read, or why the request is not guarded. */
  read(event: unknown): readonly unknown[] | string;
}

function directly({ key, scope, fingerprint }: Pick<RequestOptions<never>, 'key' | 'scope' | 'fingerprint'>): Reading {
  const given = { key, ...(scope !== undefined && { scope }), ...(fingerprint !== undefined && { fingerprint }) };
  return { options: resolveRequestOptions(given), read: (event) => [event] };
}

function overHttp({
  scope,
  fingerprint,
  ...rest
}: Pick<HttpIdempotencyOptions<never>, 'scope' | 'fingerprint' | 'headerName' | 'methods'>): Reading {
  const { headerName, methods } = resolveHttpOptions(rest as HttpIdempotencyOptions<never>);
  return {
    options: resolveRequestOptions(httpSelectors({ scope, fingerprint }, headerName) as RequestOptions<never>),
    read(event) {
      const request = readRequest(event);
      if (methods.has(request.method)) return [event, request];
      return `${request.method} is not guarded; guarded are ${[...methods].join(', ')} (the option \`methods\`)`;
    },
  };
}

function explain(options: ResolvedRequestOptions, operation: string, args: readonly unknown[]): Explanation {
  const selected: { key?: unknown; scope?: unknown } = {};
  try {
    selected.key = options.key.select(args);
    if (options.scope !== undefined) selected.scope = options.scope.select(args);
    const identity = identify(options, operation, args);
    if (identity === undefined) return { kind: 'unguarded', reason: 'there is no key' };
    const { id, fingerprint } = identity;
    return {
      kind: 'guarded',
      id,
      operation,
      key: selected.key,
      ...selected,
      ...(fingerprint !== undefined && { fingerprint }),
    };
  } catch (error) {
    return { ...refused(error), ...selected };
  }
}

function refused(error: unknown): Extract<Explanation, { kind: 'refused' }> {
  if (error instanceof IdempotencyError) return { kind: 'refused', error };
  throw error;
}
