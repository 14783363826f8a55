import type { IdempotencyError, IdempotencyErrorCode } from '../errors.ts';
import type { HttpRequest } from './request.ts';

export interface ProblemOptions {
  /** What the `type` of a problem begins with; its name follows. */
  readonly baseUri: string;
  /** Where the API's documentation explains its idempotency. */
  readonly describedBy: string | undefined;
  /** The header that carries the key. */
  readonly headerName: string;
  readonly maxRetryAfterSeconds: number;
}

/** After this, a store that could not be reached may be there again. */
const STORE_RETRY_MILLIS = 1000;

/**
 * The titles. Those for a missing, a reused and an outstanding key are the draft's
 * (draft-ietf-httpapi-idempotency-key-header-07, section 2.7).
 */
const TITLES: Record<IdempotencyErrorCode, string> = {
  KEY_MISSING: 'Idempotency-Key is missing',
  SCOPE_MISSING: 'The caller is not known',
  KEY_INVALID: 'Idempotency-Key is malformed',
  KEY_REUSED: 'Idempotency-Key is already used',
  IN_FLIGHT: 'A request is outstanding for this Idempotency-Key',
  OUTCOME_UNKNOWN: 'The outcome of an earlier request is unknown',
  LEASE_LOST: 'The request took too long',
  RESPONSE_NOT_REPLAYABLE: 'The response cannot be repeated',
  RECORD_INVALID: 'The record of this request cannot be read',
  STORE_UNAVAILABLE: 'Idempotency cannot be guaranteed at the moment',
};

/** What a problem says of itself. */
const OWN = /^(content-type|cache-control|retry-after|link)$/i;

/** Problem details (RFC 9457), with single-value headers. Nothing of the key, the record or the cause is in it. */
export function problemResponse(
  error: IdempotencyError,
  { shape }: Pick<HttpRequest, 'shape'>,
  { baseUri, describedBy, headerName, maxRetryAfterSeconds }: ProblemOptions,
  requestId: unknown,
  others?: unknown,
): object {
  const { code, message, statusCode, retryable } = error;
  // No retry mends a refusal of the store.
  const millis = retryable === true ? STORE_RETRY_MILLIS : error.retryAfterMillis;
  // Whole seconds (RFC 9110, section 10.2.3). Rounded down, the retry would come too early.
  const seconds = millis !== undefined && Math.max(1, Math.ceil(millis / 1000));
  const own = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...(seconds && { 'Retry-After': `${Math.floor(Math.min(seconds, maxRetryAfterSeconds))}` }),
    ...(describedBy && { Link: `<${describedBy}>; rel="describedby"` }),
  };
  const added = Object.entries(others ?? {}).filter(([name, value]) => typeof value === 'string' && !OWN.test(name));
  const problem = {
    type: baseUri + code.toLowerCase().replaceAll('_', '-'),
    title: TITLES[code],
    status: statusCode,
    detail: code === 'KEY_MISSING' ? `${message} Send it in the header ${headerName}.` : message,
    ...(isUuid(requestId) && { instance: `urn:uuid:${requestId}` }),
  };
  return {
    statusCode,
    headers: { ...Object.fromEntries(added), ...own },
    body: JSON.stringify(problem),
    ...(shape !== 'v2' && { isBase64Encoded: false }),
  };
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
