import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/request-key/canonical.ts';

const scalar = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e21, 1e-7, 2 ** 53, 'é', 'e\u0301', '\u2028', '\u0000', '"', '\\', ''),
  fc.boolean(),
  fc.constant(null),
);

it('a key that is a text, a number or a list of them has the canonical JSON of RFC 8785', () => {
  fc.assert(
    fc.property(fc.oneof(scalar, fc.array(scalar, { maxLength: 4 })), (value) => {
      expect(canonicalJson('key', value)).toBe(canonicalize(value));
    }),
    { numRuns: 2000, seed: 6 },
  );
});

it.each([['\ud800'], [['a', '\udc00']], [Number.NaN], [[Number.POSITIVE_INFINITY]], [[() => 1]], [1n]])(
  'and what has none is refused: %s',
  (value) => {
    expect(() => canonicalJson('key', value)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
  },
);

it('a list that speaks for itself has what it says', () => {
  expect(canonicalJson('key', Object.assign(['a'], { toJSON: () => 'b' }))).toBe('"b"');
  expect(canonicalJson('key', [new Date(0)])).toBe('["1970-01-01T00:00:00.000Z"]');
});
