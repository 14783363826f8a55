import type { IdempotencyError, IdempotencyErrorCode } from '../errors.ts';
import type { HttpRequest } from './request.ts';

export interface ProblemOptions {
  /** What the `type` of a problem begins with; its name follows. */
  readonly baseUri: string;
  /** Where the API's documentation explains its idempotency. */
  readonly describedBy: string | undefined;
  /** The header that carries the key. */
  readonly headerName: string;
}

/** Seconds after which a store that could not be reached may be there again. */
const STORE_RETRY_SECONDS = 1;

/**
 * The catalogue: name and title for each code. The titles for a missing, a reused and an outstanding key are the draft's
 * (draft-ietf-httpapi-idempotency-key-header-07, section 2.7).
 */
const CATALOGUE: Record<IdempotencyErrorCode, { readonly name: string; readonly title: string }> = {
  KEY_MISSING: { name: 'key-missing', title: 'Idempotency-Key is missing' },
  SCOPE_MISSING: { name: 'scope-missing', title: 'The caller is not known' },
  KEY_INVALID: { name: 'key-invalid', title: 'Idempotency-Key is malformed' },
  KEY_REUSED: { name: 'key-reused', title: 'Idempotency-Key is already used' },
  IN_FLIGHT: { name: 'in-flight', title: 'A request is outstanding for this Idempotency-Key' },
  OUTCOME_UNKNOWN: { name: 'outcome-unknown', title: 'The outcome of an earlier request is unknown' },
  LEASE_LOST: { name: 'lease-lost', title: 'The request took too long' },
  RESPONSE_NOT_REPLAYABLE: { name: 'response-not-replayable', title: 'The response cannot be repeated' },
  RECORD_INVALID: { name: 'record-invalid', title: 'The record of this request cannot be read' },
  STORE_UNAVAILABLE: { name: 'store-unavailable', title: 'Idempotency cannot be guaranteed at the moment' },
};

/** Problem details (RFC 9457), with single-value headers. Nothing of the key, the record or the cause is in it. */
export function problemResponse(
  error: IdempotencyError,
  { shape }: Pick<HttpRequest, 'shape'>,
  { baseUri, describedBy, headerName }: ProblemOptions,
  requestId: unknown,
): object {
  const { name, title } = CATALOGUE[error.code];
  const retryAfter = retryAfterSeconds(error);
  const headers = {
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    ...(describedBy !== undefined && { Link: `<${describedBy}>; rel="describedby"` }),
  };
  const problem = {
    type: `${baseUri}${name}`,
    title,
    status: error.statusCode,
    detail: error.code === 'KEY_MISSING' ? `${error.message} The header is ${headerName}.` : error.message,
    ...(isUuid(requestId) && { instance: `urn:uuid:${requestId}` }),
  };
  return {
    statusCode: error.statusCode,
    headers,
    body: JSON.stringify(problem),
    ...(shape !== 'v2' && { isBase64Encoded: false }),
  };
}

/** Whole seconds (RFC 9110, section 10.2.3). Rounded down, the retry would come too early. What the store refuses, no retry mends. */
function retryAfterSeconds({ code, retryable, retryAfterMillis }: IdempotencyError): number | undefined {
  if (code === 'STORE_UNAVAILABLE') return retryable === true ? STORE_RETRY_SECONDS : undefined;
  return retryAfterMillis === undefined ? undefined : Math.max(1, Math.ceil(retryAfterMillis / 1000));
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
