import { PROTOCOL_OPTION_NAMES } from '../core/options.ts';
import { requestFingerprint } from './fingerprint.ts';
import { isAuthenticated, verifiedIdentity } from './identity.ts';
import { parseKeyHeader } from './key-header.ts';
import { type HttpIdempotencyOptions, settleByStatus } from './options.ts';
import type { HttpRequest } from './request.ts';

type Options = HttpIdempotencyOptions<never>;

/** The options of the protocol as they are, and selectors for HTTP. */
export function operationOptions(options: Options, headerName: string) {
  const protocol = Object.fromEntries(
    [...PROTOCOL_OPTION_NAMES, 'operation' as const].map((name) => [name, options[name]]),
  ) as Pick<Options, (typeof PROTOCOL_OPTION_NAMES)[number] | 'operation'>;
  return {
    ...protocol,
    settle: options.settle ?? settleByStatus,
    ...httpSelectors(options, headerName),
    onMissingKey: options.required === false ? 'run' : 'throw',
  } as const;
}

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
