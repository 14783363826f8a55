import { IdempotencyError } from '../errors.ts';

/** Stripe's limit; the draft sets none. */
const MAX_KEY_LENGTH = 255;

/** The longest key with every character escaped, its quotation marks, and some white space. */
const MAX_HEADER_LENGTH = 2 * MAX_KEY_LENGTH + 32;

/** RFC 9651, section 3.3.3: printable ASCII, with `"` and `\` escaped. */
const STRUCTURED_STRING = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;

/**
 * What most clients send instead: the key itself, whatever else it may look like. With a comma it could be a list, with a
 * semicolon a value with parameters, with a quotation mark half a string. What was meant would be a guess.
 */
const BARE = /^[\x20\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+$/;

const TOO_LONG = `it is longer than ${MAX_KEY_LENGTH} characters`;
const NOT_ONE_STRING = 'it must be one string of printable ASCII, in quotation marks if it has a comma or a semicolon';

/**
 * The key in an `Idempotency-Key` header. The draft has a Structured Field string (`"abc"`); most clients send it bare
 * (`abc`). Both are the same key.
 *
 * @returns `undefined` when the header is absent
 * @throws IdempotencyError `KEY_INVALID`
 */
export function parseKeyHeader(name: string, values: readonly string[]): string | undefined {
  const [value, ...more] = values;
  if (value === undefined) return undefined;
  if (more.length > 0) throw malformed(name, 'it was sent more than once');
  if (value.length > MAX_HEADER_LENGTH) throw malformed(name, TOO_LONG);
  const trimmed = value.replace(/^[ \t]+|[ \t]+$/g, '');
  const key = STRUCTURED_STRING.exec(trimmed)?.[1]?.replace(/\\(["\\])/g, '$1') ?? BARE.exec(trimmed)?.[0];
  if (trimmed === '' || key?.trim() === '') throw malformed(name, 'it is empty');
  if (!key) throw malformed(name, NOT_ONE_STRING);
  if (key.length > MAX_KEY_LENGTH) throw malformed(name, TOO_LONG);
  return key;
}

function malformed(name: string, problem: string): IdempotencyError {
  return new IdempotencyError('KEY_INVALID', `The ${name} header of this request is malformed: ${problem}.`);
}
