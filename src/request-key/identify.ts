import type { Identity } from '../core/record/record.ts';
import { IdempotencyError } from '../errors.ts';
import { canonicalJson, holdsRoundedInteger, sha256, simpleJson, unusable } from './canonical.ts';
import type { ResolvedRequestOptions } from './request-options.ts';
import { type CompiledSelector, missing } from './selector.ts';

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
  if (key.gap) {
    if (options.onMissingKey === 'run') return undefined;
    throw new IdempotencyError(
      'KEY_MISSING',
      'This request needs an idempotency key, so that a retry does not execute twice.',
      { advice: `The option \`key\` selected no key: ${key.gap}.` },
    );
  }
  const scope = options.scope ? select(options.scope, 'scope', args) : NO_SCOPE;
  // Without its scope a request would share its record with every other caller's, so no policy lets it pass.
  if (scope.gap) {
    throw new IdempotencyError(
      'SCOPE_MISSING',
      'The caller is not known, so this request cannot be kept apart from those of others.',
      {
        advice:
          `The option \`scope\` selected no caller: ${scope.gap}. Is the authorizer missing? Else give a function, or ` +
          "'anonymous' in httpIdempotency.",
      },
    );
  }

  const id = `${operation}#${sha256(`[${scope.json},${key.json}]`)}`;
  const fingerprint = options.fingerprint && fingerprintOf(options.fingerprint, args);
  return { operation, id, fingerprint, deriveKey: (name) => deriveUuid(id, name) };
}

interface Selected {
  /** Canonical JSON. */
  readonly json: string;
  /** Why it identifies nothing. */
  readonly gap?: string | undefined;
}

const NO_SCOPE: Selected = { json: 'null' };

function select(selector: CompiledSelector, what: 'key' | 'scope', args: readonly unknown[]): Selected {
  const { hashDepth, isFunction } = selector;
  const value = selector.select(args);
  const simple = simpleJson(value);
  const json = simple ?? canonicalJson(what, value);
  // As JSON has it, too: an invalid Date is null there.
  const gap =
    missing(value, hashDepth, isFunction) ?? (simple ? undefined : missing(JSON.parse(json), hashDepth, isFunction));
  if (!simple && !gap) refuseRoundedInteger(value, rounded(what));
  return { json, gap };
}

/** A fingerprint of nothing is the same for every payload, so that it would protect from nothing. */
function fingerprintOf(selector: CompiledSelector, args: readonly unknown[]): string {
  const selected = selector.select(args) ?? null;
  const members = Array.isArray(selected) ? Array.from(selected) : [selected];
  if (members.every((member) => (member ?? null) === null)) {
    throw unusable('fingerprint', 'computed', {
      advice: 'The option `fingerprint` selected nothing. Select what every request has.',
    });
  }
  const json = canonicalJson('fingerprint', selected);
  refuseRoundedInteger(selected, `${rounded('fingerprint')} Select the text, such as body.`);
  return sha256(json);
}

function rounded(option: string): string {
  return `The option \`${option}\` selected a number that JSON.parse rounds.`;
}

/** @throws IdempotencyError `KEY_INVALID` */
export function refuseRoundedInteger(value: unknown, advice: string): void {
  if (!holdsRoundedInteger(value)) return;
  throw new IdempotencyError('KEY_INVALID', 'This request has an integer beyond 2^53. Send it as a string.', {
    advice,
  });
}

/**
 * A UUID made from the record id and a name: the same on every attempt, another for another request or name.
 * Version 8 (RFC 9562, section 5.8): the first 122 free bits are those of the SHA-256.
 */
function deriveUuid(recordId: string, name: string): string {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError("deriveKey(name): must be a non-empty string, such as 'refund'");
  }
  const hex = sha256(canonicalJson('name', [recordId, name]), 'hex');
  const variant = '89ab'.charAt(Number(`0x${hex.charAt(16)}`) % 4);
  return hex.replace(/(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/, `$1-$2-8$3-${variant}$4-$5`);
}
