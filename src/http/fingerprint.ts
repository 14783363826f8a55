import { canonicalJson, sha256 } from '../request-key/canonical.ts';
import { isExactJson } from '../request-key/exact-numbers.ts';
import { refuseRoundedInteger } from '../request-key/identify.ts';
import { normalMediaType } from './media-type.ts';
import type { HttpRequest } from './request.ts';

/**
 * What must stay the same between retries: method, authority, stage, path, query, media type and body. JSON is compared
 * by its meaning (RFC 8785): the order of its properties, white space and escapes do not matter. Every other body is compared
 * by its bytes, its media type and its encoding.
 *
 * @throws IdempotencyError `KEY_INVALID` for a body that a parser in front has made of a text that said more
 */
export function requestFingerprint(request: HttpRequest): readonly unknown[] {
  const { method, authority, path, query } = request;
  const contentType = normalMediaType(request.header('content-type').join(','));
  const mediaType = contentType.replace(/;.*/s, '');
  const format = isJson(mediaType) ? mediaType : contentType;
  // The order of different names means nothing, the order of the values of one name may.
  const sortedQuery = [...query.keys()].sort().map((name) => [name, query.get(name)]);
  const encoding = codings(request.header('content-encoding').join(','));
  return [method, authority, path, sortedQuery, format, encoding, bodyFingerprint(request, mediaType)];
}

/** RFC 9110, section 8.4.1: in the order in which they were applied, in any case. */
function codings(contentEncoding: string): readonly string[] {
  const names = contentEncoding.split(',').map((name) => name.trim().toLowerCase());
  return names.filter(Boolean);
}

function bodyFingerprint({ body, isBase64Encoded }: HttpRequest, mediaType: string): string {
  if ((body ?? '') === '') return 'none';
  if (typeof body !== 'string') return `json:${sha256(parsedBody(body))}`;
  // Stryker disable next-line StringLiteral: UTF-8 is what Buffer reads by default, too
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const canonical = isJson(mediaType) ? canonicalBody(bytes) : undefined;
  return canonical === undefined ? `bytes:${sha256(bytes.toString('base64'))}` : `json:${sha256(canonical)}`;
}

/** A body parser in front of us has parsed it. */
function parsedBody(body: unknown): string {
  const json = canonicalJson('fingerprint', body);
  refuseRoundedInteger(
    body,
    'A body parser in front of httpIdempotency has rounded it. Use httpIdempotency first: it compares the text.',
  );
  return json;
}

function isJson(mediaType: string): boolean {
  return mediaType === 'application/json' || mediaType.endsWith('+json');
}

/** `undefined` when the bytes are no UTF-8, no JSON, or say more than a parser keeps: then bytes decide. */
function canonicalBody(bytes: Buffer): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return isExactJson(text) ? canonicalJson('fingerprint', JSON.parse(text)) : undefined;
  } catch {
    return undefined;
  }
}
