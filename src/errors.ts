/**
 * What went wrong, as a stable code to branch on. Codes are contract; messages are not.
 *
 * | code | statusCode | meaning |
 * |---|---|---|
 * | `KEY_MISSING` | 400 | the request carries no idempotency key: nothing was executed |
 * | `SCOPE_MISSING` | 500 | the request does not say who is calling, an authorizer is missing: nothing was executed |
 * | `KEY_INVALID` | 400 | the key, scope or fingerprint cannot be computed from this request: nothing was executed |
 * | `KEY_REUSED` | 422 | the key was used before with another payload: nothing was executed |
 * | `IN_FLIGHT` | 409 | another execution holds the lease; see `retryAfterMillis` |
 * | `OUTCOME_UNKNOWN` | 409 | an earlier execution vanished and `onExpiredLease` is `'throw'` |
 * | `LEASE_LOST` | 409 | this execution outlived its lease and another one has taken over |
 * | `RESPONSE_NOT_REPLAYABLE` | 409 | the work is done, its response could not be stored or cannot be read: nothing was executed again |
 * | `RECORD_INVALID` | 500 | what the table holds under this id is no record that this version can read: nothing was executed |
 * | `STORE_UNAVAILABLE` | 503 | the store did not answer or refused; before the claim: nothing was executed |
 */
export type IdempotencyErrorCode = keyof typeof STATUS_CODES;

const STATUS_CODES = {
  KEY_MISSING: 400,
  SCOPE_MISSING: 500,
  KEY_INVALID: 400,
  KEY_REUSED: 422,
  IN_FLIGHT: 409,
  OUTCOME_UNKNOWN: 409,
  LEASE_LOST: 409,
  RESPONSE_NOT_REPLAYABLE: 409,
  RECORD_INVALID: 500,
  STORE_UNAVAILABLE: 503,
} as const;

export interface IdempotencyErrorDetails {
  /** The error behind this one: the SDK's, a selector's. It quotes no JSON that could not be parsed. */
  readonly cause?: unknown;
  /** For the operator, not for the client: what to change so that this does not happen again. */
  readonly advice?: string | undefined;
  /**
   * With `IN_FLIGHT`: milliseconds after which to retry. It is the age of the other execution's lease, so it grows from retry
   * to retry. It is at least 1000, and never longer than the lease lasts. With `LEASE_LOST`: 1000.
   */
  readonly retryAfterMillis?: number | undefined;
  /**
   * With `STORE_UNAVAILABLE`. `true`: the same request may succeed later without a change.
   * `false`: it will not, and nothing was written. Absent: the last try was refused, and an earlier
   * one may have been written.
   */
  readonly retryable?: boolean | undefined;
  /** With `STORE_UNAVAILABLE`: the store gave no answer (silence, a broken connection, a 5xx). */
  readonly unanswered?: boolean | undefined;
  /**
   * With `STORE_UNAVAILABLE`: the store does not take this very record, because of its size for
   * example. It never will, or not for now where `retryable` is true.
   */
  readonly recordRefused?: boolean | undefined;
}

const BRAND: unique symbol = Symbol.for('middy-idempotency.IdempotencyError');

/**
 * The one error class of this package. Branch on `code`; where only the name arrives (Step Functions), on `name`.
 *
 * `statusCode` and `expose` are what `@middy/http-error-handler` reads. Every message is safe to
 * show to a client, and says what to do. What only the operator may know (table names, missing
 * permissions) is in `advice` and `cause`.
 */
export class IdempotencyError extends Error {
  /**
   * An error of another copy of this package is one, too: a store may come from a layer with a copy
   * of its own. What that store refused would otherwise be tried again, or executed unguarded.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: a class that extends this one inherits it, and means itself
    if (this !== IdempotencyError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** @internal */
  get [BRAND](): true {
    return true;
  }

  /**
   * Its own for each code: `IN_FLIGHT` is `IdempotencyInFlightError`. It is what Lambda reports as `errorType`, and what
   * `Retry` and `Catch` of Step Functions compare ("Error names").
   */
  declare readonly name: string;
  declare readonly code: IdempotencyErrorCode;
  /** The HTTP status that fits, see {@link IdempotencyErrorCode}. */
  declare readonly statusCode: number;
  /** `true`: the message may be shown to the client. */
  readonly expose = true;
  declare readonly advice?: string;
  declare readonly retryAfterMillis?: number;
  declare readonly retryable?: boolean;
  declare readonly unanswered?: boolean;
  declare readonly recordRefused?: boolean;

  constructor(code: IdempotencyErrorCode, message: string, details: IdempotencyErrorDetails = {}) {
    const { cause, ...others } = details;
    super(message, cause === undefined ? undefined : { cause });
    const words = code.replace(/_?(.)([A-Z]*)/g, (_, first: string, rest: string) => first + rest.toLowerCase());
    Object.assign(this, others, { code, name: `Idempotency${words}Error`, statusCode: STATUS_CODES[code] });
  }
}

/**
 * A wrong value, as a message shows it: a text in quotation marks, an object by its names alone.
 */
export function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return 'a list';
  const names = Object.keys(value);
  return names.length === 0 ? 'an empty object' : `{ ${names.join(', ')} }`;
}

/** A wrong option is a mistake in the program: refused when the guard is constructed, naming the option. */
export function optionError(option: string, problem: string): TypeError {
  return new TypeError(`middy-idempotency: option \`${option}\`: ${problem}`);
}

/** The same, with the value that stands in place of what is wanted. */
export function wrongOption(option: string, wanted: string, value: unknown): TypeError {
  return optionError(option, `must be ${wanted}, not ${shown(value)}`);
}
