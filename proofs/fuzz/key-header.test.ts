import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdempotencyError } from '../../src/errors.ts';
import { parseKeyHeader } from '../../src/http/key-header.ts';
import { fuzzing } from './support/fuzzing.ts';

const REFUSED = Symbol('refused');

function parsed(...values: string[]): unknown {
  try {
    return parseKeyHeader('Idempotency-Key', values);
  } catch (error) {
    expect(error).toBeInstanceOf(IdempotencyError);
    expect(error).toMatchObject({ code: 'KEY_INVALID' });
    return REFUSED;
  }
}

/** The grammar written down once more, character by character (RFC 9651, section 4.2.5, and the bare form). */
function expected(value: string): string | typeof REFUSED {
  let text = value;
  while (text.startsWith(' ') || text.startsWith('\t')) text = text.slice(1);
  while (text.endsWith(' ') || text.endsWith('\t')) text = text.slice(0, -1);
  const isPrintable = [...text].every((character) => character >= ' ' && character <= '~');
  if (!isPrintable) return REFUSED;
  const key = text.startsWith('"') ? quoted(text) : /[,;"]/.test(text) ? REFUSED : text;
  return typeof key === 'string' && (key.trim() === '' || key.length > 255) ? REFUSED : key;
}

function quoted(text: string): string | typeof REFUSED {
  let key = '';
  for (let index = 1; index < text.length; index++) {
    const character = text[index];
    if (character === '"') return index === text.length - 1 ? key : REFUSED;
    if (character === '\\') {
      const next = text[++index];
      if (next !== '"' && next !== '\\') return REFUSED;
      key += next;
    } else key += character;
  }
  return REFUSED;
}

describe('the key header', () => {
  it('is read as its grammar says, whatever it is', () => {
    const piece = fc.constantFrom(
      '"',
      '\\',
      '\\"',
      '\\\\',
      ',',
      ' ',
      '\t',
      ';',
      'a',
      'Z',
      '~',
      '\x7f',
      '\0',
      'é',
      '\r\n',
    );
    const value = fc.oneof(
      fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
      fc.array(piece, { maxLength: 12 }).map((pieces) => `"${pieces.join('')}"`),
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.tuple(piece, fc.nat({ max: 600 })).map(([text, times]) => text.repeat(times)),
    );
    fc.assert(
      fc.property(value, (text) => {
        // What is too long to be a key, escaped or not, is not even looked at.
        const answer = text.length > 542 ? REFUSED : expected(text);
        expect(parsed(text)).toBe(answer);
        expect(parsed(text, text)).toBe(REFUSED);
      }),
      fuzzing(1000),
    );
  });

  it.each(['"', '\\', ' ', '\t', 'a', ',', '"\\', '\\"', ' a'])('of a million times %j ends at once', (text) => {
    expect(parsed(text.repeat(1_000_000))).toBe(REFUSED);
    expect(parsed(`"${text.repeat(1_000_000)}`)).toBe(REFUSED);
  });
});
