import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * The same for two requests that ask for the same, in any order of their members (RFC 8785). It is
 * kept with what the request has made. An idempotency record expires; then this digest
 * distinguishes a repetition from another request under its key.
 */
export function requestDigest(request: object): string {
  return createHash('sha256')
    .update(canonicalize(request) ?? '')
    .digest('base64url');
}
