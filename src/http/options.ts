import {
  PROTOCOL_OPTION_NAMES,
  type ProtocolOptions,
  requireFunctionIfGiven,
  requireNumber,
  requireOneOf,
} from '../core/options.ts';
import type { Outcome } from '../core/record/outcome.ts';
import { optionError } from '../errors.ts';
import type { RequestOptions } from '../request-key/request-options.ts';
import type { Selector } from '../request-key/selector.ts';
import { TOKEN } from './media-type.ts';
import type { ProblemOptions } from './problem.ts';
import { DEFAULT_DROPPED_HEADERS, statusOf } from './response.ts';

/** A Middy middleware, as far as problems go through it. */
export interface ProblemMiddleware {
  readonly after?: (request: never) => unknown;
}

/** Names and values. A value that is `undefined` is no header. */
export type ProblemHeaders = Readonly<Record<string, string | undefined>>;

/** `TItem` is what the store's transactions are made of: see `IdempotencyHandle.transact`. */
export interface HttpIdempotencyOptions<TEvent = unknown, TItem = never>
  extends ProtocolOptions<TItem>,
    Pick<RequestOptions<readonly [event: TEvent]>, 'operation'> {
  /**
   * Who is calling. By default it is the identity that API Gateway or Lambda has verified. In this order: JWT subject with
   * issuer, IAM principal, principal of a Lambda authorizer, API key id, client certificate. The first that is there decides.
   * A request without any is refused. So is one whose first names no caller, such as a JWT without `sub`. A path, a
   * function or `jmespath('…')` takes the place of all that.
   *
   * `'anonymous'` admits requests that no authorizer has seen. They share one space of keys. Never use it where this
   * function itself finds out who is calling: a replay is answered before it does.
   */
  readonly scope?: 'anonymous' | Selector<readonly [event: TEvent]>;
  /** Methods that are guarded. GET, HEAD, OPTIONS and TRACE are safe and cannot be. @default ['POST', 'PATCH'] */
  readonly methods?: readonly string[];
  /** The header that carries the key. @default 'Idempotency-Key' */
  readonly headerName?: string;
  /** Whether a guarded request without a key is refused; else it is executed unguarded. @default true */
  readonly required?: boolean;
  /** What must stay the same between retries. @default method, path, query, media type and body */
  readonly fingerprint?: Selector<readonly [event: TEvent]>;
  /**
   * What becomes of a request when the store cannot be reached. `'throw'` refuses it with 503. `'run'` executes it
   * unguarded, as often as it comes, if at least half of its time is left. Every answer of the store (throttling, access
   * denied, no such table) stays 503. @default 'throw'
   */
  readonly onStoreError?: 'throw' | 'run';
  /**
   * The longest `Retry-After` of a problem, seconds from 1 to 3600. A duplicate of a running execution is asked to come
   * again after as long as that one has been running, at least 1 second. @default 30
   */
  readonly maxRetryAfterSeconds?: number;
  /** What the `type` of a problem begins with. @default 'urn:middy-idempotency:problem:' */
  readonly problemBaseUri?: string;
  /** The page that explains the API's idempotency, for the `Link` header of problems. @default none */
  readonly describedBy?: string;
  /**
   * Headers for problems, as a function of the event: the CORS headers of a framework that the handler calls.
   * Content-Type, Cache-Control, Retry-After and Link are the problem's own, and a value that is no text is left out. When
   * the function throws, the problem goes out without them. @default none
   */
  readonly problemHeaders?: (event: TEvent) => ProblemHeaders | Promise<ProblemHeaders>;
  /**
   * Middlewares whose `after` a problem passes through, such as `httpCors(...)`, in the order of `use`. A problem is
   * answered before they run by themselves, and without its CORS headers a browser could not read it. @default none
   */
  readonly problemsThrough?: readonly ProblemMiddleware[];
  /**
   * Headers that a replay does not repeat, in any case; `[]`: it repeats all. `set-cookie` includes the cookies of format
   * 2.0.
   * @default Date, Set-Cookie, and the ids of tracing and requests
   */
  readonly dropHeaders?: readonly string[];
  /** The same number that `middy()` was given. @default 5, as in Middy */
  readonly timeoutEarlyInMillis?: number;
}

export const HTTP_OPTION_NAMES = [
  ...PROTOCOL_OPTION_NAMES,
  'operation',
  'scope',
  'methods',
  'headerName',
  'required',
  'fingerprint',
  'onStoreError',
  'maxRetryAfterSeconds',
  'problemBaseUri',
  'describedBy',
  'problemHeaders',
  'problemsThrough',
  'dropHeaders',
  'timeoutEarlyInMillis',
] as const satisfies readonly (keyof HttpIdempotencyOptions)[];

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS', 'TRACE'];

export interface ResolvedHttpOptions {
  readonly methods: ReadonlySet<string>;
  readonly headerName: string;
  readonly onStoreError: 'throw' | 'run';
  readonly problems: ProblemOptions;
  readonly problemHeaders: ((event: never) => ProblemHeaders | Promise<ProblemHeaders>) | undefined;
  readonly problemsThrough: readonly Required<ProblemMiddleware>[];
  readonly droppedHeaders: ReadonlySet<string>;
}

/** @throws TypeError that names the wrong option */
export function resolveHttpOptions(options: HttpIdempotencyOptions<never>): ResolvedHttpOptions {
  const {
    methods = ['POST', 'PATCH'],
    headerName = 'Idempotency-Key',
    onStoreError = 'throw',
    required = true,
  } = options;
  const {
    problemBaseUri = 'urn:middy-idempotency:problem:',
    describedBy,
    problemHeaders,
    problemsThrough = [],
  } = options;
  const { maxRetryAfterSeconds = 30, dropHeaders = DEFAULT_DROPPED_HEADERS } = options;
  requireTokens('methods', methods);
  if (methods.length === 0) throw optionError('methods', 'must not be empty');
  const guarded = methods.map((method) => method.toUpperCase());
  const safe = guarded.find((method) => SAFE_METHODS.includes(method));
  if (safe) throw optionError('methods', `${safe} is a safe method, which needs no guard`);
  requireTokens('headerName', [headerName]);
  requireTokens('dropHeaders', dropHeaders);
  requireOneOf('onStoreError', onStoreError, ['throw', 'run']);
  requireOneOf('required', required, [true, false]);
  requireNumber('maxRetryAfterSeconds', maxRetryAfterSeconds, 3600, 1);
  requireUri('problemBaseUri', problemBaseUri);
  if (!/[/#:=]$/.test(problemBaseUri)) throw optionError('problemBaseUri', 'must end with / # : or =: a name follows');
  if (describedBy !== undefined) requireUri('describedBy', describedBy);
  requireFunctionIfGiven('problemHeaders', problemHeaders);
  if (!Array.isArray(problemsThrough) || problemsThrough.some((one) => typeof one?.after !== 'function')) {
    throw optionError('problemsThrough', 'must be a list of Middy middlewares with an `after`');
  }
  return {
    methods: new Set(guarded),
    headerName,
    onStoreError,
    problems: { baseUri: problemBaseUri, describedBy, headerName, maxRetryAfterSeconds },
    problemHeaders,
    problemsThrough: problemsThrough as readonly Required<ProblemMiddleware>[],
    droppedHeaders: new Set(dropHeaders.map((name) => name.toLowerCase())),
  };
}

/** These refuse a request before its work: with other credentials, or at another time, the same request may succeed. */
const REFUSED_BEFORE_WORK = [401, 403, 407, 408, 412, 425, 428];

/**
 * The default `settle` of `httpIdempotency`, to build your own on. It releases what a retry can mend: 429, 5xx, a thrown
 * error. It releases 401, 403, 407, 408, 412, 425 and 428, too, where the execution has no effects. It stores every other
 * answer.
 */
export function settleByStatus(outcome: Outcome, hasEffects: boolean): 'store' | 'release' {
  if (outcome.kind === 'threw') return 'release';
  const status = statusOf(outcome.value);
  const isEarly = hasEffects === false && REFUSED_BEFORE_WORK.includes(status);
  return isEarly || status >= 500 || status === 429 ? 'release' : 'store';
}

function requireTokens(option: string, values: unknown): void {
  if (!Array.isArray(values) || values.some((value) => typeof value !== 'string' || !TOKEN.test(value))) {
    throw optionError(option, 'must be made of HTTP tokens, such as POST');
  }
}

function requireUri(option: string, value: unknown): void {
  // Printable ASCII only: it goes into a header as it is.
  if (typeof value !== 'string' || !URL.canParse(value) || !/^[!#-;=?-~]+$/.test(value)) {
    throw optionError(option, 'must be an absolute URI');
  }
}
