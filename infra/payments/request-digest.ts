import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/**
 * The same for two requests that ask for the same, whatever the order of their members (RFC 8785), and kept with what the
 * request has made: an idempotency record expires, and with it what tells a repetition from another request under its key.
 */
export function requestDigest(request: object): string {
  return createHash('sha256')
    .update(canonicalize(request) ?? '')
    .digest('base64url');
}
