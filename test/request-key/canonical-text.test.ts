import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { canonicalJson } from '../../src/request-key/canonical.ts';
import { canonicalText } from '../../src/request-key/canonical-text.ts';

const names = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.nat(300).map(String),
  fc.constantFrom('__proto__', 'toJSON', 'constructor', '', '01', '-0', '\u20ac', '\ufb33', '\u{1f600}', '\r'),
);
const { values } = fc.letrec((tie) => ({
  scalar: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  ),
  values: fc.oneof(
    { depthSize: 'small' },
    tie('scalar'),
    fc.array(tie('values')),
    fc.array(fc.tuple(names, tie('values'))).map((members) => {
      const object: Record<string, unknown> = {};
      for (const [name, value] of members)
        Object.defineProperty(object, name, { value, enumerable: true, configurable: true });
      return object;
    }),
  ),
}));

describe('the canonical form of a JSON text', () => {
  it('is that of its value', () => {
    const property = fc.property(values, fc.nat(2), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(canonicalText(text)).toBe(canonicalJson('fingerprint', JSON.parse(text)));
    });
    fc.assert(property, { numRuns: 5000 });
  });

  it.each([
    ['[1.0,1e2,-0,1E+2]', '[1,100,0,100]'],
    ['{"b":{},"a":[]}', '{"a":[],"b":{}}'],
    ['{"10":1,"9":2,"a":3}', '{"10":1,"9":2,"a":3}'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['"\\ud83d\\ude00"', '"\u{1f600}"'],
    ['"\\\\ud800"', '"\\\\ud800"'],
    [' null ', 'null'],
  ])('of %s is %s', (text, form) => {
    expect(canonicalText(text)).toBe(form);
  });

  it.each([
    ['no JSON', '{"a":'],
    ['a lone surrogate', '"\\ud800"'],
    ['a lone surrogate behind a backslash', '"\\\\\\ud800"'],
    ['a name with a lone surrogate', '{"\\udfff":1}'],
    ['a number that a double cannot hold', '{"a":1e-400}'],
    ['501 levels', `${'['.repeat(501)}${']'.repeat(501)}`],
    ['more levels than a call stack', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
  ])('is not there for %s', (_, text) => {
    expect(canonicalText(text)).toBeUndefined();
  });

  it('is there for 500 levels', () => {
    const text = `${'['.repeat(500)}${']'.repeat(500)}`;
    expect(canonicalText(text)).toBe(text);
  });

  it('parses the text once, and calls nothing back for its members', () => {
    const parse = vi.spyOn(JSON, 'parse');
    canonicalText('{"a":[0,0,0]}');
    expect(parse.mock.calls).toEqual([['{"a":[0,0,0]}']]);
    parse.mockRestore();
  });
});
