import type { Identity } from '../core/identity.ts';
import { IdempotencyError } from '../errors.ts';
import { canonicalJson, sha256 } from './canonical.ts';
import { deriveUuid } from './derive.ts';
import type { ResolvedRequestOptions } from './options.ts';
import type { CompiledSelector } from './selector.ts';

/**
 * Who asks for what: computed once, before anything can change the request.
 *
 * @returns `undefined` when there is no key and `onMissingKey` is `'run'`
 * @throws IdempotencyError `KEY_MISSING`, `KEY_INVALID`
 */
export function identify(
  options: ResolvedRequestOptions,
  operation: string,
  args: readonly unknown[],
): Identity | undefined {
  const key = select(options.key, 'key', args);
  if (key.gap !== undefined) {
    if (options.onMissingKey === 'run') return undefined;
    throw missing('key', key.gap);
  }
  const scope = options.scope === undefined ? NO_SCOPE : select(options.scope, 'scope', args);
  // Without its scope a request would share its record with every other caller's, so no policy lets it pass.
  if (scope.gap !== undefined) throw missing('scope', scope.gap);

  const id = `${operation}#${sha256(`[${scope.json},${key.json}]`)}`;
  const deriveKey = (name: string) => deriveUuid(id, name);
  if (options.fingerprint === undefined) return { operation, id, deriveKey };
  const fingerprint = sha256(canonicalJson('fingerprint', options.fingerprint.select(args)));
  return { operation, id, fingerprint, deriveKey };
}

interface Selected {
  /** Canonical JSON. */
  readonly json: string;
  /** Why it identifies nothing. */
  readonly gap: string | undefined;
}

const NO_SCOPE: Selected = { json: 'null', gap: undefined };

function select(selector: CompiledSelector, what: 'key' | 'scope', args: readonly unknown[]): Selected {
  const value = selector.select(args);
  const json = canonicalJson(what, value);
  let gap = selector.missing(value);
  if (typeof value === 'object' && value !== null) {
    // As JSON has it, too: an invalid Date is null there.
    gap ??= selector.missing(JSON.parse(json));
  }
  if (gap === undefined) refuseRounded(what, value);
  return { json, gap };
}

function missing(what: 'key' | 'scope', gap: string): IdempotencyError {
  return new IdempotencyError(
    'KEY_MISSING',
    what === 'key'
      ? 'This request needs an idempotency key, so that a retry of it is not executed twice. Send one.'
      : 'This request cannot be attributed to a caller.',
    { advice: `The option \`${what}\` selected nothing that identifies the ${what}: ${gap}.` },
  );
}

/**
 * JSON.parse rounds integers beyond 2^53 to their neighbours (RFC 8259, section 6): two different order numbers would
 * be one key, and the second order would get the first one's answer.
 */
function refuseRounded(what: string, value: unknown): void {
  if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new IdempotencyError(
      'KEY_INVALID',
      `The idempotency ${what} of this request is an integer beyond 2^53. Send it as a string.`,
    );
  }
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) refuseRounded(what, member);
  }
}
