import { requestFingerprint } from './fingerprint.ts';
import { isAuthenticated, verifiedIdentity } from './identity.ts';
import { parseKeyHeader } from './key-header.ts';
import type { HttpIdempotencyOptions } from './options.ts';
import type { HttpRequest } from './request.ts';

type Options = HttpIdempotencyOptions<never>;

/** What picks key, scope and fingerprint from an HTTP request: functions of the event and of what was read from it. */
export function httpSelectors(
  { scope, fingerprint }: { readonly [Name in 'scope' | 'fingerprint']?: Options[Name] | undefined },
  headerName: string,
) {
  return {
    key: (_event: unknown, request: HttpRequest) => parseKeyHeader(headerName, request.header(headerName)),
    scope: scopeSelector(scope),
    fingerprint:
      fingerprint === undefined ? (_event: unknown, request: HttpRequest) => requestFingerprint(request) : fingerprint,
  };
}

function scopeSelector(scope: Options['scope']) {
  if (scope === undefined) return (_event: unknown, request: HttpRequest) => verifiedIdentity(request);
  if (scope === 'anonymous') {
    return (_event: unknown, request: HttpRequest) =>
      verifiedIdentity(request) ?? (isAuthenticated(request) ? undefined : ['anonymous']);
  }
  return scope;
}
