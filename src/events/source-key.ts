import { IdempotencyError } from '../errors.ts';

/** What identifies one record of an event source, from the widest name to the narrowest. */
export type SourceKey = readonly (string | number)[];

/**
 * The key of a record, if it is of the expected source and has every part.
 *
 * @param source the event source, for the error
 * @param isFromSource whether the record says that it is from this source
 * @param parts the key, by the names that the record has for its parts
 * @throws IdempotencyError `KEY_INVALID`: a key with a gap would be shared by all records that have it
 */
export function sourceKey(source: string, isFromSource: boolean, parts: Readonly<Record<string, unknown>>): SourceKey {
  if (!isFromSource) throw notFrom(source, `It does not look like one of ${source}`);
  return Object.entries(parts).map(([name, value]) => {
    if (isPart(value)) return value;
    throw notFrom(source, `It has no ${name}`);
  });
}

export function notFrom(source: string, problem: string): IdempotencyError {
  return new IdempotencyError(
    'KEY_INVALID',
    `This event cannot be identified as one of ${source}. It is not handled.`,
    { advice: `${problem}. Is the function behind another event source, or the event changed before its key is read?` },
  );
}

function isPart(value: unknown): value is string | number {
  return typeof value === 'string' ? value.trim() !== '' : Number.isSafeInteger(value);
}
