import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonFormat } from '../src/core/record/outcome.ts';
import { flatCopy } from '../src/json.ts';

const LONG = 'x'.repeat(10_000);
const viaJson = (value: unknown) => JSON.parse(JSON.stringify(value));

describe('a copy without JSON', () => {
  it('equals what JSON makes of the value, or there is none', () => {
    const member = fc.oneof(fc.anything(), fc.string(), fc.double(), fc.boolean());
    const flat = fc.dictionary(fc.oneof(fc.string(), fc.constant('__proto__')), member);
    const values = fc.oneof(
      flat,
      fc.dictionary(fc.string(), flat),
      fc.anything({ withDate: true, withSparseArray: true }),
    );
    fc.assert(
      fc.property(values, (value) => {
        const copy = flatCopy(value);
        if (copy === undefined) return;
        expect(copy).toStrictEqual(viaJson(value));
        // The order of the members is that of JSON, too.
        expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
      }),
      { numRuns: 2000 },
    );
  });

  it('is made of the response of an HTTP API, with its own objects', () => {
    const response = { statusCode: 200, headers: { etag: '"1"' }, isBase64Encoded: false, body: LONG };
    const copy = flatCopy(response) as typeof response;
    expect(copy).toStrictEqual(response);
    expect(copy).not.toBe(response);
    expect(copy.headers).not.toBe(response.headers);
  });

  it.each([
    ['undefined', { a: undefined }],
    ['a function', { a: () => 1 }],
    ['-0', { a: -0 }],
    ['NaN', { a: Number.NaN }],
    ['a bigint', { a: 1n }],
    ['a list', { a: [] }],
    ['a date', { a: new Date(0) }],
    ['a boxed text', { a: Object('text') }],
    ['toJSON', { toJSON: () => 1 }],
    ['a hidden member', Object.defineProperty({}, 'a', { value: 1 })],
    ['three levels', { a: { b: { c: 1 } } }],
    [
      'a getter',
      {
        get a() {
          return 1;
        },
      },
    ],
  ])('is not made of %s', (_, value) => {
    expect(flatCopy(value)).toBeUndefined();
  });
});

describe('a long response', () => {
  const first = (value: unknown) => jsonFormat.encode({ kind: 'returned', value }).outcome;

  it.each([
    ['flat', { body: LONG }],
    ['deep', { body: [{ text: LONG }] }],
    ['with what JSON drops', { body: LONG, at: new Date(0), nothing: undefined }],
    [
      'a proxy that answers for its target',
      new Proxy({ body: '' }, { get: (_, name) => (name === 'body' ? LONG : undefined) }),
    ],
    [
      'a proxy that forbids to look at it',
      new Proxy(
        { body: LONG },
        {
          getPrototypeOf() {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('is what JSON leaves of it, in a fresh object: %s', (_, value) => {
    const outcome = first(value);
    expect(outcome).toStrictEqual({ kind: 'returned', value: viaJson(value) });
    expect(outcome.kind === 'returned' && Object.is(outcome.value, value)).toBe(false);
  });
});
