import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { IdempotencyError } from 'middy-idempotency';
import { jmespath } from 'middy-idempotency/jmespath';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from '../../src/request-key/canonical.ts';
import { identify } from '../../src/request-key/identify.ts';
import { type ResolvedRequestOptions, resolveRequestOptions } from '../../src/request-key/request-options.ts';
import { expectNoPollution, fuzzing, garbage, hostile, type Json } from './support/fuzzing.ts';

const EVENT = {
  id: 'order-1',
  tenant: { id: 't', names: ['a', 'b'] },
  items: [
    { id: 1, tags: ['x'] },
    { id: 2, tags: [] },
  ],
  body: '{"id":"order-1","lines":[1,2]}',
  base64: Buffer.from('{"id":1}').toString('base64'),
  gzip: gzipSync('{"id":1}').toString('base64'),
};
const NAMES = [
  'id',
  'tenant',
  'items',
  'body',
  'base64',
  'gzip',
  'tags',
  'names',
  '__proto__',
  'constructor',
  'toJSON',
];
const FUNCTIONS = (
  'abs avg ceil contains ends_with floor join keys length map max max_by merge min min_by not_null reverse sort ' +
  'sort_by starts_with sum to_array to_number to_string type values powertools_json powertools_base64 ' +
  'powertools_base64_gzip nope'
).split(' ');

/** Expressions of JMESPath's grammar (https://jmespath.org/specification.html), sound or nearly so. */
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const inner = tie('expression');
  const name = fc.constantFrom(...NAMES);
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      name,
      fc.constantFrom('@', '*', '[]', '[0]', '[-1]', '[::2]', '[*]', "'raw'", '`1`', '`{"a":null}`', '"id"', '&id', ''),
      fc
        .tuple(inner, fc.constantFrom('.', ' | ', ' || ', ' && ', '.*.', '[].', ' == ', ' < '), inner)
        .map((p) => p.join('')),
      fc
        .tuple(fc.constantFrom(...FUNCTIONS), fc.array(inner, { maxLength: 3 }))
        .map(([f, a]) => `${f}(${a.join(', ')})`),
      fc.array(inner, { minLength: 1, maxLength: 3 }).map((members) => `[${members.join(', ')}]`),
      fc
        .array(fc.tuple(name, inner), { minLength: 1, maxLength: 2 })
        .map((m) => `{${m.map((p) => p.join(': ')).join(', ')}}`),
      fc.tuple(inner, inner).map(([a, b]) => `${a}[?${b}]`),
      inner.map((text) => `(${text})`),
      inner.map((text) => `!${text}`),
    ),
  };
});

/** `undefined` where the expression is refused at construction, which must be by its name. */
function compiled(key: string): ResolvedRequestOptions | undefined {
  try {
    return resolveRequestOptions({ key: jmespath(key), onMissingKey: 'run' });
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toMatch(/^middy-idempotency: /);
    return undefined;
  }
}

function idOf(options: ResolvedRequestOptions, event: unknown): string | undefined {
  try {
    return identify(options, 'fuzz', [event])?.id;
  } catch (error) {
    expect(error).toBeInstanceOf(IdempotencyError);
    expect(error).toMatchObject({ code: 'KEY_INVALID' });
    return 'refused';
  }
}

describe('an expression', () => {
  it('is compiled or refused by its name, whatever it is', () => {
    const text = fc.oneof(expression, fc.string({ maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 30 }));
    fc.assert(
      fc.property(text, (key) => {
        compiled(key);
        expectNoPollution();
      }),
      fuzzing(1000),
    );
  });

  it('selects a key, nothing, or is a typed refusal, whatever the event is, and the same every time', () => {
    fc.assert(
      fc.property(expression, garbage(EVENT, NAMES), (key, text) => {
        const options = compiled(key);
        if (options === undefined) return;
        const event: Json = JSON.parse(text);
        const id = idOf(options, event);
        expect(id ?? 'none').toMatch(/^(fuzz#[\w-]{43}|refused|none)$/);
        expect(idOf(options, JSON.parse(text))).toBe(id);
        expect(JSON.stringify(event)).toBe(text);
        expectNoPollution();
      }),
      fuzzing(1500),
    );
  });

  it.each(['powertools_json(body)', 'powertools_base64(body)', 'powertools_base64_gzip(body)', 'to_string(body)'])(
    '%s of any bytes ends in a key or a typed refusal',
    (key) => {
      const options = compiled(key) as ResolvedRequestOptions;
      const zipped = fc.uint8Array({ maxLength: 200 }).map((bytes) => gzipSync(bytes).toString('base64'));
      const body = fc.oneof(
        hostile,
        fc.json(),
        fc.string({ unit: 'binary' }),
        fc.base64String(),
        zipped,
        zipped.map((text) => text.slice(0, -8)),
      );
      fc.assert(
        fc.property(body, (value) => {
          expect(idOf(options, { body: value }) ?? 'none').toMatch(/^(fuzz#|refused|none)/);
        }),
        fuzzing(500),
      );
    },
  );
});

describe('canonical JSON', () => {
  it('says the same as the value, or refuses it by a typed error', () => {
    fc.assert(
      fc.property(garbage(EVENT, NAMES), (text) => {
        const value: Json = JSON.parse(text);
        try {
          const canonical = canonicalJson('key', value);
          expect(JSON.parse(canonical)).toEqual(value);
          expect(canonicalJson('key', JSON.parse(canonical))).toBe(canonical);
        } catch (error) {
          expect(error).toMatchObject({ name: 'IdempotencyKeyInvalidError', code: 'KEY_INVALID' });
        }
        expectNoPollution();
      }),
      fuzzing(500),
    );
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('keeps a member that is named %s', (name) => {
    const text = `{"a":{"${name}":{"polluted":true}}}`;
    expect(canonicalJson('key', JSON.parse(text))).toBe(text);
    expectNoPollution();
  });
});
