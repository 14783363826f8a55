import { describe, expect, it } from 'vitest';
import { parseKeyHeader } from '../../src/http/key-header.ts';

const parse = (...values: string[]) => parseKeyHeader('Idempotency-Key', values);
const TOO_LONG = 'it is longer than 255 characters';
const NOT_ONE_STRING = 'it must be one string of printable ASCII, in quotation marks if it has a comma or a semicolon';

describe('the key header', () => {
  it.each<[string, string[], string]>([
    ['sent twice', ['a', 'a'], 'it was sent more than once'],
    ['empty', [''], 'it is empty'],
    ['blank', [' \t '], 'it is empty'],
    ['empty in quotation marks', ['""'], 'it is empty'],
    ['blank in quotation marks', ['"  "'], 'it is empty'],
    ['a list', ['a, b'], NOT_ONE_STRING],
    ['not closed', ['"a'], NOT_ONE_STRING],
    ['a list without white space', ['a,b'], NOT_ONE_STRING],
    ['a list of strings', ['"a","b"'], NOT_ONE_STRING],
    ['with parameters', ['"a";v=1'], NOT_ONE_STRING],
    ['bare, with parameters', ['a;v=1'], NOT_ONE_STRING],
    ['bare, and ends like parameters', ['a;'], NOT_ONE_STRING],
    ['bare, with a quotation mark', ['a"b'], NOT_ONE_STRING],
    ['with a tab inside', ['a\tb'], NOT_ONE_STRING],
    ['no ASCII', ['é'], NOT_ONE_STRING],
    ['too long', ['a'.repeat(256)], TOO_LONG],
    ['too long in quotation marks', [`"${'a'.repeat(256)}"`], TOO_LONG],
    ['too long to be looked at', [`${' '.repeat(542)}a`], TOO_LONG],
  ])('that is %s is refused, and says why', (_, values, why) => {
    expect(() => parse(...values)).toThrow(
      expect.objectContaining({
        code: 'KEY_INVALID',
        message: `The Idempotency-Key header of this request is malformed: ${why}.`,
      }),
    );
  });

  it.each<[string, string, string]>([
    ['bare', 'abc', 'abc'],
    ['in quotation marks', '"abc"', 'abc'],
    ['with white space around', ' \t abc \t ', 'abc'],
    ['with spaces inside', 'a  b', 'a  b'],
    ['with escapes', String.raw`"a\"b\\c"`, String.raw`a"b\c`],
    ['with a comma and a semicolon, in quotation marks', '"a,b;c"', 'a,b;c'],
    ['like a boolean', '?1', '?1'],
    ['like bytes', ':YWJj:', ':YWJj:'],
    ['like an inner list', '(a)', '(a)'],
    ['next to comma and semicolon in ASCII', '+-:<', '+-:<'],
    ['with a backslash, bare', String.raw`a\b`, String.raw`a\b`],
    ['of 255 characters', 'a'.repeat(255), 'a'.repeat(255)],
    ['of 255 escaped characters, in white space', `${' '.repeat(30)}"${'\\"'.repeat(255)}"`, '"'.repeat(255)],
  ])('%s is read', (_, value, key) => {
    expect(parse(value)).toBe(key);
  });

  it('that is absent is no key', () => {
    expect(parse()).toBeUndefined();
  });
});
