import { isObject } from '../json.ts';

/** Events are data of others: whatever the types say, this may be anything. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** An object literal, of this realm or another (a `vm` context, a test runner's). */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
