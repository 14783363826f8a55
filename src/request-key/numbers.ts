/**
 * JSON.parse rounds integers beyond 2^53 to their neighbours (RFC 8259, section 6): two different order numbers would
 * be one key, and the second order would get the first one's answer.
 */
export function holdsRoundedInteger(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && !Number.isSafeInteger(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsRoundedInteger);
}
