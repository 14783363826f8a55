/** Events are data of others: whatever the types say, this may be anything. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** An object literal, of this realm or another (a `vm` context, a test runner's). */
export function isPlainObject(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * JSON.parse rounds integers beyond 2^53 to their neighbours (RFC 8259, section 6): two different order numbers would
 * be one key, and the second order would get the first one's answer.
 */
export function holdsRoundedInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsRoundedInteger);
}
