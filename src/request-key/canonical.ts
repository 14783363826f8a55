import { getBuiltinModule } from '../builtins.ts';
import { NOT_JSON } from '../core/record/outcome.ts';
import { IdempotencyError, type IdempotencyErrorDetails } from '../errors.ts';
import { isObject } from '../json.ts';
import { isPlainObject } from './data.ts';

/**
 * The one text of a JSON value, whatever the order of its properties (RFC 8785). JSON would drop or mangle some values in
 * silence: a Map, a function, NaN, a lone surrogate, private fields. They are refused, so that two different values never have one text.
 *
 * @param what names the value in the error: the key, the scope, the fingerprint
 * @throws IdempotencyError `KEY_INVALID`
 */
export function canonicalJson(what: string, value: unknown): string {
  try {
    return write(value, 0) ?? 'null';
  } catch (cause) {
    const refusal = (cause ?? {}) as { readonly message?: string; readonly advice?: string };
    const { message: problem = NOT_JSON, advice } = refusal;
    throw unusable(what, `used: ${problem}`, { cause, advice });
  }
}

/** @param problem what cannot be done with it, and why */
export function unusable(what: string, problem: string, details: IdempotencyErrorDetails): IdempotencyError {
  return new IdempotencyError('KEY_INVALID', `The idempotency ${what} of this request cannot be ${problem}.`, details);
}

/**
 * The canonical JSON of a text, a number, or a list of them, which most keys are. JSON has one form of these, no number
 * among them was rounded, and none of them has a `toJSON`, as a Date has.
 *
 * @returns `undefined` for everything else
 */
export function simpleJson(value: unknown): string | undefined {
  const members = Array.isArray(value) && !('toJSON' in value) ? value : [value];
  for (const member of members) {
    if (!isScalar(member) || isRounded(member)) return undefined;
  }
  return JSON.stringify(value);
}

/**
 * JSON.parse rounds integers beyond 2^53 to their neighbours (RFC 8259, section 6). Two different order numbers would be
 * one key, and the second order would get the first one's answer.
 */
export function holdsRoundedInteger(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).some(holdsRoundedInteger);
  return isRounded(value);
}

function isRounded(value: unknown): boolean {
  return Number.isInteger(value) !== Number.isSafeInteger(value);
}

/** SHA-256 of a text, by default as 43 characters of base64url (RFC 4648, section 5). */
export function sha256(text: string, encoding: 'base64url' | 'hex' = 'base64url'): string {
  return getBuiltinModule('node:crypto').hash('sha256', text, encoding);
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  return value === null || typeof value === 'boolean' || Number.isFinite(value);
}

/** Far beyond any request, far below the call stack. A value that contains itself exceeds it, too. */
const MAX_DEPTH = 500;

/** @returns `undefined` for what JSON leaves out */
function write(value: unknown, depth: number): string | undefined {
  if (isScalar(value)) return JSON.stringify(value);
  if (typeof value === 'object') return writeObject(value as object, depth + 1);
  if (value === undefined) return undefined;
  const type = typeof value;
  const content = type === 'string' ? 'a lone surrogate' : type === 'number' ? value : `a ${type}`;
  throw new TypeError(`it contains ${content}, which JSON does not carry`);
}

function writeObject(value: object, depth: number): string | undefined {
  if (depth > MAX_DEPTH) throw new TypeError(`it contains itself, or has more than ${MAX_DEPTH} levels`);
  if ('toJSON' in value && typeof value.toJSON === 'function') return write(value.toJSON(), depth);
  // Most lists are long because they are simple.
  const simple = simpleJson(value);
  if (simple) return simple;
  if (Array.isArray(value)) return `[${Array.from(value, (member) => write(member, depth) ?? 'null').join()}]`;
  if (!isPlainObject(value)) {
    // Also where it has no private fields: that cannot be seen.
    const what = `an instance of ${value.constructor?.name ?? 'a class'}`;
    throw Object.assign(new TypeError(`it contains ${what}: its private fields would not count`), {
      advice: 'Select what counts: (order) => ({ id: order.id, amount: order.amount })',
    });
  }
  const members: string[] = [];
  // By UTF-16 code units, as RFC 8785 (section 3.2.3) sorts.
  for (const name of Object.keys(value).sort()) {
    const text = write((value as Record<string, unknown>)[name], depth);
    if (text) members.push(`${write(name, depth)}:${text}`);
  }
  return `{${members.join()}}`;
}
