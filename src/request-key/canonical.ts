import { hash } from 'node:crypto';
import { IdempotencyError } from '../errors.ts';
import { isPlainObject } from './data.ts';

/**
 * The one text of a JSON value, whatever the order of its properties (RFC 8785). What JSON would drop or mangle in
 * silence (a Map, a function, NaN, a lone surrogate) is refused: two different values must never have one text.
 *
 * @param what names the value in the error: the key, the scope, the fingerprint
 * @throws IdempotencyError `KEY_INVALID`
 */
export function canonicalJson(what: string, value: unknown): string {
  try {
    return write(value, new Set()) ?? 'null';
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : 'it cannot be written as JSON';
    const message = `The idempotency ${what} of this request cannot be used: ${problem}.`;
    throw new IdempotencyError('KEY_INVALID', message, { cause });
  }
}

/**
 * The canonical JSON of a text, a number, or a list of them, which most keys are. JSON has one form of these, and none of
 * them has a `toJSON`, as a Date has.
 *
 * @returns `undefined` for everything else
 */
export function simpleJson(value: unknown): string | undefined {
  const isSimple = Array.isArray(value) ? value.every(isScalar) && !('toJSON' in value) : isScalar(value);
  return isSimple ? JSON.stringify(value) : undefined;
}

/** SHA-256 of a text: 43 characters of base64url (RFC 4648, section 5). */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url');
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

/** @returns `undefined` for what JSON leaves out */
function write(value: unknown, parents: Set<object>): string | undefined {
  if (isScalar(value)) return JSON.stringify(value);
  switch (typeof value) {
    case 'object':
      return writeObject(value as object, parents);
    case 'undefined':
      return undefined;
    case 'string':
      throw new TypeError('it contains a lone surrogate');
    case 'number':
      throw new TypeError(`${value} is no JSON number`);
    default:
      throw new TypeError(`it contains a ${typeof value}`);
  }
}

/** Far beyond any request, far below the call stack. */
const MAX_DEPTH = 500;

function writeObject(value: object, parents: Set<object>): string | undefined {
  if (parents.has(value)) throw new TypeError('it contains itself');
  if (parents.size >= MAX_DEPTH) throw new TypeError(`it is nested deeper than ${MAX_DEPTH} levels`);
  parents.add(value);
  const text = writeMembers(value, parents);
  parents.delete(value);
  return text;
}

function writeMembers(value: object, parents: Set<object>): string | undefined {
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), parents);
  if (Array.isArray(value)) return `[${Array.from(value, (member) => write(member, parents) ?? 'null').join()}]`;
  if (!isPlainObject(value)) {
    throw new TypeError(`it contains a ${value.constructor?.name ?? 'class instance'}, which JSON does not carry`);
  }
  const members: string[] = [];
  // By UTF-16 code units, as RFC 8785 (section 3.2.3) sorts.
  for (const name of Object.keys(value).sort()) {
    const text = write((value as Record<string, unknown>)[name], parents);
    if (text !== undefined) members.push(`${write(name, parents)}:${text}`);
  }
  return `{${members.join()}}`;
}
