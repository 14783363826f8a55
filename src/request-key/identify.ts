import type { Identity } from '../core/record/record.ts';
import { IdempotencyError } from '../errors.ts';
import { canonicalJson, sha256, simpleJson } from './canonical.ts';
import { holdsRoundedInteger } from './data.ts';
import type { ResolvedRequestOptions } from './request-options.ts';
import type { CompiledSelector } from './selector.ts';

/**
 * Who asks for what: computed once, before anything can change the request.
 *
 * @returns `undefined` when there is no key and `onMissingKey` is `'run'`
 * @throws IdempotencyError `KEY_MISSING`, `SCOPE_MISSING`, `KEY_INVALID`
 */
export function identify(
  options: ResolvedRequestOptions,
  operation: string,
  args: readonly unknown[],
): Identity | undefined {
  const key = select(options.key, 'key', args);
  if (key.gap !== undefined) {
    if (options.onMissingKey === 'run') return undefined;
    throw keyMissing(key.gap);
  }
  const scope = options.scope === undefined ? NO_SCOPE : select(options.scope, 'scope', args);
  // Without its scope a request would share its record with every other caller's, so no policy lets it pass.
  if (scope.gap !== undefined) throw scopeMissing(scope.gap);

  const id = `${operation}#${sha256(`[${scope.json},${key.json}]`)}`;
  const deriveKey = (name: string) => deriveUuid(id, name);
  if (options.fingerprint === undefined) return { operation, id, deriveKey };
  return { operation, id, fingerprint: fingerprintOf(options.fingerprint, args), deriveKey };
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
  const simple = simpleJson(value);
  const json = simple ?? canonicalJson(what, value);
  // As JSON has it, too: an invalid Date is null there.
  const gap = selector.missing(value) ?? (simple === undefined ? selector.missing(JSON.parse(json)) : undefined);
  if (gap === undefined)
    refuseRoundedInteger(value, `The option \`${what}\` selected a number that JSON.parse rounds.`);
  return { json, gap };
}

/** A fingerprint of nothing is the same for every payload, so that it would protect from nothing. */
function fingerprintOf(selector: CompiledSelector, args: readonly unknown[]): string {
  const selected = selector.select(args) ?? null;
  const members = Array.isArray(selected) ? Array.from(selected) : [selected];
  if (members.every((member) => (member ?? null) === null)) {
    throw new IdempotencyError('KEY_INVALID', 'The idempotency fingerprint of this request cannot be computed.', {
      advice:
        'The option `fingerprint` selected nothing. Select something that every request has, such as [rawPath, body].',
    });
  }
  const json = canonicalJson('fingerprint', selected);
  refuseRoundedInteger(
    selected,
    'The option `fingerprint` selected a number that JSON.parse rounds. Select the text, such as body.',
  );
  return sha256(json);
}

/** @throws IdempotencyError `KEY_INVALID` */
export function refuseRoundedInteger(value: unknown, advice: string): void {
  if (!holdsRoundedInteger(value)) return;
  throw new IdempotencyError('KEY_INVALID', 'This request has an integer beyond 2^53. Send it as a string.', {
    advice,
  });
}

function keyMissing(gap: string): IdempotencyError {
  return new IdempotencyError(
    'KEY_MISSING',
    'This request needs an idempotency key, so that a retry of it is not executed twice. Send one.',
    { advice: `The option \`key\` selected nothing that identifies the request: ${gap}.` },
  );
}

function scopeMissing(gap: string): IdempotencyError {
  return new IdempotencyError(
    'SCOPE_MISSING',
    'It is not known who is calling, so that this request cannot be kept apart from those of others.',
    {
      advice:
        `The option \`scope\` selected nothing that identifies the caller: ${gap}. Is the authorizer missing? Give a ` +
        "function that knows your callers. With httpIdempotency, scope: 'anonymous' admits requests that no authorizer has seen.",
    },
  );
}

/**
 * A UUID made from the record id and a name: the same on every attempt, another for another request or name.
 * Version 8 (RFC 9562, section 5.8): the first 122 free bits are those of the SHA-256.
 */
function deriveUuid(recordId: string, name: string): string {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('deriveKey(name): name must be a non-empty string, such as the name of the downstream call');
  }
  const hex = Buffer.from(sha256(canonicalJson('name', [recordId, name])), 'base64url').toString('hex');
  const variant = '89ab'.charAt(Number.parseInt(hex.charAt(16), 16) % 4);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
