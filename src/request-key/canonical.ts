import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { IdempotencyError } from '../errors.ts';

/**
 * The one text of a JSON value, whatever the order of its properties (RFC 8785). What JSON would drop or mangle in
 * silence (a Map, a function, NaN, a lone surrogate) is refused: two different values must never have one text.
 * What is simple has no other text than `simpleJson` gives.
 *
 * @param what names the value in the error: the key, the scope, the fingerprint
 * @throws IdempotencyError `KEY_INVALID`
 */
export function canonicalJson(what: string, value: unknown): string {
  try {
    const problem = notJson(value, new Set());
    if (problem !== undefined) throw new TypeError(problem);
    return canonicalize(value) ?? 'null';
  } catch (cause) {
    throw invalid(what, cause instanceof Error ? cause.message : 'it cannot be written as JSON', cause);
  }
}

/**
 * What most keys are, a text or a list of texts and numbers, needs no walk: JSON has one form of it, and nothing of it speaks for
 * itself there, as a Date does.
 *
 * @returns `undefined` for everything else
 */
export function simpleJson(value: unknown): string | undefined {
  const isSimple = Array.isArray(value) ? value.every(isScalar) && !('toJSON' in value) : isScalar(value);
  return isSimple ? JSON.stringify(value) : undefined;
}

function isScalar(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
    case 'number':
      return Number.isFinite(value);
    default:
      return typeof value === 'boolean' || value === null;
  }
}

/** SHA-256 of a text: 43 characters of base64url (RFC 4648, section 5). */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
}

function invalid(what: string, problem: string, cause: unknown): IdempotencyError {
  const message = `The idempotency ${what} of this request cannot be used: ${problem}.`;
  return new IdempotencyError('KEY_INVALID', message, { cause });
}

function notJson(value: unknown, parents: Set<object>): string | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : `${value} is no JSON number`;
    case 'object':
      return value === null ? undefined : notJsonObject(value, parents);
    default:
      return `it contains a ${typeof value}`;
  }
}

function notJsonObject(value: object, parents: Set<object>): string | undefined {
  if (parents.has(value)) return 'it contains itself';
  if (parents.size >= MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`;
  parents.add(value);
  const problem = notJsonMembers(value, parents);
  parents.delete(value);
  return problem;
}

function notJsonMembers(value: object, parents: Set<object>): string | undefined {
  // A Date, or whatever else speaks for itself.
  if ('toJSON' in value && typeof value.toJSON === 'function') return notJson(value.toJSON(), parents);
  if (!Array.isArray(value) && !isPlainObject(value)) {
    return `it contains a ${value.constructor?.name ?? 'class instance'}, which JSON does not carry`;
  }
  for (const member of Object.values(value)) {
    const problem = notJson(member, parents);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Far beyond any request, far below the call stack. */
const MAX_DEPTH = 500;

/** An object literal, of this realm or another (a `vm` context, a test runner's). */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
