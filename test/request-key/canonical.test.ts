import { runInNewContext } from 'node:vm';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { jmespath } from 'middy-idempotency/jmespath';
import { describe, expect, it } from 'vitest';
import { canonicalJson, sha256, simpleJson } from '../../src/request-key/canonical.ts';
import { identify } from '../../src/request-key/identify.ts';
import { resolveRequestOptions } from '../../src/request-key/request-options.ts';

describe('canonicalJson', () => {
  it('is the text of RFC 8785, section 3.2.2 and 3.2.3', () => {
    const input = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`);
    expect(canonicalJson('key', input)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  it('sorts properties by UTF-16 code units, as RFC 8785 says, not by code points', () => {
    expect(canonicalJson('key', { '\u{1f600}': 1, '\ufb33': 2, a: 3 })).toBe('{"a":3,"\u{1f600}":1,"\ufb33":2}');
  });

  it('is the same for the same value in any order of properties', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson('key', reversed)).toBe(canonicalJson('key', value));
      }),
    );
  });

  it('is what the reference implementation writes, or a refusal', () => {
    const value = fc.anything({
      withDate: true,
      withNullPrototype: true,
      withSparseArray: true,
      withBigInt: true,
      withBoxedValues: true,
    });
    const toJSON = (inner: unknown) => ({ toJSON: () => inner });
    let written = 0;
    fc.assert(
      fc.property(fc.oneof(value, fc.jsonValue(), value.map(toJSON), fc.array(value.map(toJSON))), (one) => {
        let text: string;
        try {
          text = canonicalJson('key', one);
        } catch (error) {
          expect(error).toMatchObject({ code: 'KEY_INVALID' });
          return;
        }
        written++;
        expect(text).toBe(canonicalize(one) ?? 'null');
      }),
      { numRuns: 3000, seed: 6 },
    );
    expect(written).toBeGreaterThan(1000);
  });

  it('differs for values that JSON tells apart', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        const same = canonicalJson('key', a) === canonicalJson('key', b);
        expect(same).toBe(JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      }),
    );
  });

  it('asks a value for its JSON, and looks into the answer', () => {
    expect(canonicalJson('key', { at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
    expect(() => canonicalJson('key', { toJSON: () => new Set() })).toThrow('an instance of Set: its private');
  });

  it('takes objects of another realm and without a prototype', () => {
    expect(canonicalJson('key', runInNewContext('({ a: [1] })'))).toBe('{"a":[1]}');
    expect(canonicalJson('key', Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}');
  });

  it('takes the same object twice, but not inside itself', () => {
    const shared = { a: 1 };
    expect(canonicalJson('key', [shared, shared])).toBe('[{"a":1},{"a":1}]');
  });

  it('ends on input that is nested without end', () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(canonicalJson('key', nested(500))).toHaveLength(1000);
    expect(() => canonicalJson('key', nested(501))).toThrow('has more than 500 levels');
    expect(() => canonicalJson('key', nested(100_000))).toThrow('has more than 500 levels');
  });

  it('is null for nothing', () => {
    expect(canonicalJson('key', undefined)).toBe('null');
  });

  it('takes a member that is named toJSON for what it is: data', () => {
    expect(canonicalJson('key', JSON.parse('{"toJSON":{"a":1}}'))).toBe('{"toJSON":{"a":1}}');
  });

  it('refuses what contains itself, and what cannot say what it is', () => {
    const cycle: unknown[] = [1];
    cycle.push({ cycle });
    expect(() => canonicalJson('key', cycle)).toThrow('cannot be used: it contains itself, or');
    const broken = {
      toJSON() {
        throw 'no Error';
      },
    };
    expect(() => canonicalJson('key', broken)).toThrow('cannot be used: it cannot be written as JSON.');
    const cause = new Error('broken');
    const failing = {
      toJSON() {
        throw cause;
      },
    };
    expect(() => canonicalJson('key', failing)).toThrow(expect.objectContaining({ cause }));
  });

  class Money {
    readonly #amount = 1;
    get amount() {
      return this.#amount;
    }
  }
  it.each([
    ['a class instance', new Money(), 'it contains an instance of Money: its private fields would not count.'],
    ['a Map inside', { a: new Map() }, 'an instance of Map: its private'],
    ['something behind something else', [1, 'a', () => 1], 'it contains a function'],
    [
      'an instance of no class',
      Object.create(Object.create(Object.create(null))),
      'it contains an instance of a class: its private',
    ],
    ['bytes', new Uint8Array(2), 'an instance of Uint8Array: its private'],
    ['a symbol', { a: Symbol('x') }, 'it contains a symbol'],
    ['a BigInt', [1n], 'it contains a bigint'],
    ['infinity', -Infinity, 'it contains -Infinity, which JSON does not carry'],
    ['a lone surrogate as a property name', { '\udc00': 1 }, 'surrogate'],
  ])('refuses %s, which would be lost in silence', (_, value, why) => {
    expect(() => canonicalJson('key', value)).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }));
    expect(() => canonicalJson('key', value)).toThrow(why);
  });
});

describe('an instance of a class', () => {
  class Order {
    readonly id = '1';
    readonly #amount: number;
    constructor(amount: number) {
      this.#amount = amount;
    }
    get amount() {
      return this.#amount;
    }
  }
  const refusal = (options: object) =>
    expect(() => identify(resolveRequestOptions({ key: 'id', ...options } as never), 'pay', [new Order(1)]));

  it.each([
    ['key', '@'],
    ['key', jmespath('@')],
    ['key', (order: Order) => [order]],
    ['scope', '@'],
    ['fingerprint', '@'],
    ['fingerprint', (order: Order) => ({ order })],
  ])('is refused as a %s, with advice: two orders that differ in a private field would be one', (option, selector) => {
    refusal({ [option]: selector }).toThrow(
      expect.objectContaining({
        code: 'KEY_INVALID',
        message: `The idempotency ${option} of this request cannot be used: it contains an instance of Order: its private fields would not count.`,
        advice: 'Select what counts: (order) => ({ id: order.id, amount: order.amount })',
      }),
    );
  });

  it('is read by what the advice says', () => {
    const fingerprint = (order: Order) => ({ id: order.id, amount: order.amount });
    const of = (amount: number) =>
      identify(resolveRequestOptions({ key: 'id', fingerprint } as never), 'pay', [new Order(amount)])?.fingerprint;
    expect(of(1)).toBe(of(1));
    expect(of(1)).not.toBe(of(2));
  });
});

it('sha256 is SHA-256 in base64url', () => {
  // FIPS 180-4, the one-block message sample "abc".
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(Buffer.from(sha256('abc'), 'base64url').toString('hex')).toBe(abc);
});

/** The value with its properties in one order, as JSON.stringify sees it: a naive oracle. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  const entries = Object.entries(value).map(([name, member]) => [name, sorted(member)] as const);
  return { object: entries.sort(([a], [b]) => (a < b ? -1 : 1)) };
}

describe('what is simple has its one text without a walk', () => {
  it.each([
    ['a text', 'é"\u2028', '"é\\"\u2028"'],
    ['the empty text', '', '""'],
    ['a number', -1.5e-300, '-1.5e-300'],
    ['minus zero', -0, '0'],
    ['true', true, 'true'],
    ['false', false, 'false'],
    ['null', null, 'null'],
    ['a list of them', ['a', 1, false, null, ''], '["a",1,false,null,""]'],
    ['an empty list', [], '[]'],
  ])('%s', (_, value, text) => {
    expect(simpleJson(value)).toBe(text);
    expect(canonicalJson('key', value)).toBe(text);
  });

  it.each([
    ['a lone surrogate', '\ud800'],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['an integer that JSON.parse rounds', -1.5e300],
    ['undefined', undefined],
    ['a BigInt', 1n],
    ['a symbol', Symbol('s')],
    ['a function', () => 1],
    ['an object', {}],
    ['a Date', new Date(0)],
    ['a list of lists', [['a']]],
    ['a list with one that is not', ['a', { a: 1 }]],
    ['a list that speaks for itself', Object.assign(['a'], { toJSON: () => 'b' })],
  ])('but not %s', (_, value) => {
    expect(simpleJson(value)).toBeUndefined();
  });

  it('and never another one', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (value) => {
        const text = simpleJson(value);
        if (text !== undefined) expect(canonicalJson('key', value)).toBe(text);
      }),
    );
  });
});
