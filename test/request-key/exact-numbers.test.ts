import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { isExactJson as isExact, parseExactly } from '../../src/request-key/exact-numbers.ts';

/** A decimal as a whole number and a power of ten, in the only way without zeros at the end. */
function decimalOf(text: string): { readonly digits: bigint; readonly power: number } {
  const [, sign, whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  let digits = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  let power = Number(exponent) - fraction.length;
  if (digits === 0n) return { digits, power: 0 };
  for (; digits % 10n === 0n; digits /= 10n) power++;
  return { digits, power };
}

/** The double's shortest text, found by trying: the first number of digits that leads back to it. */
function shortestOf(double: number): string {
  for (let places = 0; ; places++) {
    const text = double.toExponential(places);
    if (Number(text) === double) return text;
  }
}

/** Whether the double is in the middle between its shortest text and another one of that length: either may stand for it. */
function isTie(double: number): boolean {
  const places = shortestOf(double).replace(/^-?\d\.?|e.*/g, '').length;
  const rest = double
    .toExponential(100)
    .replace(/^-?\d\.|e.*/g, '')
    .slice(places);
  return /^50*$/.test(rest);
}

/** What `isExact` says, in whole numbers. */
function isExactByTheBook(text: string): boolean {
  const double = Number(text);
  if (!Number.isFinite(double)) return false;
  const [one, other] = [decimalOf(text), decimalOf(shortestOf(double))];
  return one.digits === other.digits && (one.power === other.power || one.digits === 0n);
}

const digits = (minLength: number, maxLength: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength, maxLength }).map((all) => all.join(''));

/** Numbers of JSON of every length, with zeros where they do not count, around the ends of what a double can be. */
const numbers = fc
  .record({
    sign: fc.constantFrom('', '-'),
    whole: fc.oneof(
      fc.constant('0'),
      digits(0, 25).map((rest) => `1${rest}`),
      digits(1, 17).map((rest) => `9${rest}`),
    ),
    fraction: fc.oneof(
      fc.constant(''),
      digits(1, 30),
      digits(1, 17).map((some) => `${some}000`),
    ),
    exponent: fc.oneof(
      { weight: 2, arbitrary: fc.constant('') },
      fc.integer({ min: -30, max: 30 }).map((power) => `e${power}`),
      fc.integer({ min: -345, max: -300 }).map((power) => `E${power}`),
      fc.integer({ min: 290, max: 312 }).map((power) => `e+${power}`),
      fc.constantFrom('e0', 'E-00', 'e+05', 'e-400', 'e400', 'e99999999999999999999'),
    ),
  })
  .map(({ sign, whole, fraction, exponent }) => `${sign}${whole}${fraction === '' ? '' : '.'}${fraction}${exponent}`);

/** Texts of doubles, as they are and with a digit more. */
const nearDoubles = fc
  .tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), digits(0, 3))
  .map(([double, more]) => {
    const [decimal = '0', exponent] = String(Math.abs(double)).split('e');
    const longer = more === '' ? decimal : `${decimal}${decimal.includes('.') ? '' : '.'}${more}`;
    return exponent === undefined ? longer : `${longer}e${exponent}`;
  });

describe('a number of a JSON text is exact', () => {
  it.each([
    '0',
    '-0',
    '0.0',
    '0e5',
    '0e-999',
    '1',
    '1.0',
    '1e2',
    '1E+2',
    '19.99',
    '0.1',
    '100',
    '5e-324',
    '1.50',
    '-7.25',
  ])('%s', (number) => expect(isExact(number)).toBe(true));
  it.each(['9007199254740991', '9007199254740992', '1e21', '0.30000000000000004', '1.7976931348623157e308', '1e-7'])(
    'also if it is long, or far from 1: %s',
    (number) => expect(isExact(number)).toBe(true),
  );

  it('when it is the shortest text of its double, and only then', () => {
    const property = fc.property(fc.oneof(numbers, nearDoubles), (number) => {
      fc.pre(!isTie(Number(number)));
      expect(isExact(number)).toBe(isExactByTheBook(number));
    });
    fc.assert(property, { numRuns: 20_000 });
  });

  it('when JSON.stringify has written it, or any other way to write a double', () => {
    const property = fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
      for (const text of [JSON.stringify(double), double.toExponential()]) expect(isExact(text)).toBe(true);
    });
    fc.assert(property, { numRuns: 5000 });
  });

  it('when it has 15 digits, wherever their point is', () => {
    const property = fc.property(digits(1, 15), fc.nat(14), fc.integer({ min: -99, max: 99 }), (all, at, power) => {
      const [whole, fraction] = [all.slice(0, at), all.slice(at)];
      const decimal = `${whole.replace(/^0+(?=.)/, '') || '0'}${fraction === '' ? '' : `.${fraction}`}`;
      expect(isExact(`${decimal}e${power}`)).toBe(true);
    });
    fc.assert(property, { numRuns: 5000 });
  });
});

describe('of two different numbers that are one double, at most one is exact:', () => {
  it.each([
    ['0.100000000000000001', '0.100000000000000002'],
    ['12345678.123456789012', '12345678.123456789013'],
    ['9007199254740992', '9007199254740993'],
    ['1e-400', '0'],
    ['1e400', '2e400'],
    ['-0.30000000000000004', '-0.300000000000000041'],
    ['4.9e-324', '5e-324'],
  ])('%s and %s', (one, other) => {
    expect([one, other].map(Number)[0]).toBe(Number(other));
    expect([one, other].filter(isExact).length).toBeLessThanOrEqual(1);
  });

  it('and any others', () => {
    const property = fc.property(fc.oneof(numbers, nearDoubles), digits(1, 4), (number, more) => {
      const [decimal = '', exponent] = number.toLowerCase().split('e');
      const longer = `${decimal}${decimal.includes('.') ? '' : '.'}${more}${exponent === undefined ? '' : `e${exponent}`}`;
      const [one, other] = [decimalOf(number), decimalOf(longer)];
      const areOne = one.digits === other.digits && one.power === other.power;
      if (!areOne && Number(number) === Number(longer)) expect(isExact(number) && isExact(longer)).toBe(false);
    });
    fc.assert(property, { numRuns: 10_000 });
  });
});

describe('of a text', () => {
  it('is kept where it is exact, and cannot be written where it is not', () => {
    const text = '{"a":[0.1000000000000000055,1.5],"9007199254740993":"1e-400"}';
    const { a, ...rest } = parseExactly(text) as { a: unknown[] };
    expect(a[1]).toBe(1.5);
    expect(rest).toEqual({ '9007199254740993': '1e-400' });
    expect(() => JSON.stringify(a[0])).toThrow('send it as a string');
  });

  it('reads numbers only: names and strings may look like one, whatever they escape', () => {
    const property = fc.property(fc.jsonValue(), fc.nat(2), (value, indent) => {
      expect(isExact(JSON.stringify(value, undefined, indent))).toBe(true);
    });
    fc.assert(property, { numRuns: 2000 });
    for (const string of ['1e-400', '"1e-400', '\\', '\\\\"1e-400', '9007199254740993', '\u2028"\\u0022'] as const) {
      expect(isExact(JSON.stringify({ [string]: [string, { [string]: string }] }))).toBe(true);
    }
  });

  it('finds an inexact number wherever it is', () => {
    const MARK = '@@';
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.constant(MARK), fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean()),
      tree: fc.oneof(
        { depthSize: 'small' },
        tie('leaf'),
        fc.array(tie('tree')),
        fc.dictionary(fc.string(), tie('tree')),
      ),
    }));
    const property = fc.property(tree, fc.nat(3), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const marked = text.replaceAll(new RegExp(`(?<=^|[\\[,:\\s])"${MARK}"(?=$|[\\],}\\s])`, 'g'), '1e-400');
      fc.pre(marked === text || JSON.stringify(JSON.parse(marked), undefined, indent) !== text);
      expect(isExact(marked)).toBe(marked === text);
    });
    fc.assert(property, { numRuns: 2000 });
  });

  it('is read in time, however long a number of it is', () => {
    const zeros = '0'.repeat(1_000_000);
    for (const number of [`1${zeros}1e-1000000`, `0.${zeros}1`, '9'.repeat(1_000_000)])
      expect(isExact(`[${number}]`)).toBe(false);
    expect(isExact(`[1.${zeros}]`)).toBe(true);
  });

  it('is parsed once, and calls nothing back for its members where all are exact', () => {
    const parse = vi.spyOn(JSON, 'parse');
    parseExactly('{"a":[0,0,0]}');
    expect(parse.mock.calls).toEqual([['{"a":[0,0,0]}']]);
    parse.mockRestore();
  });
});
