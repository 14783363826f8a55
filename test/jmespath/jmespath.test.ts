import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import fc from 'fast-check';
import { idempotent } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { jmespath } from 'middy-idempotency/jmespath';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it } from 'vitest';
import type { IdempotencyError } from '../../src/errors.ts';
import { identify } from '../../src/request-key/identify.ts';
import { resolveRequestOptions } from '../../src/request-key/request-options.ts';

const of = (key: string, event: unknown = {}) =>
  identify(resolveRequestOptions({ key: jmespath(key) }), 'pay', [event])?.id;

function thrown(run: () => unknown): IdempotencyError {
  try {
    run();
  } catch (error) {
    return error as IdempotencyError;
  }
  throw new Error('nothing was thrown');
}

const refusal = (key: string, event?: unknown) => thrown(() => of(key, event));

describe('jmespath', () => {
  it('selects what a path does not', () => {
    const event = { items: [{ id: 1, price: 5 }, { id: 2 }], tenant: 't' };
    expect(jmespath('items[?price].id').search(event)).toEqual([1]);
    expect(jmespath("join('-', [tenant, to_string(items[1].id)])").search(event)).toBe('t-2');
  });

  it('means by a path what the path means', () => {
    const event = { lines: [{ id: 1 }, {}], constructor: 'own' };
    for (const path of ['lines[*].id', 'constructor', '{a: lines[0].id}', '@']) {
      const ids = [path, jmespath(path)].map((key) =>
        thrownOrId(() => identify(resolveRequestOptions({ key }), 'pay', [event])?.id),
      );
      expect(ids[0]).toEqual(ids[1]);
    }
    expect(() => of('lines[*].id', event)).toThrow(expect.objectContaining({ code: 'KEY_MISSING' }));
  });

  it('is the key of a guarded function, and the scope and the fingerprint over HTTP', async () => {
    const store = memoryStore();
    let executions = 0;
    const options = { store, operation: 'charge', key: jmespath('id || legacyId') } as const;
    const charge = idempotent(async (_order: { id?: string; legacyId?: string }) => ++executions, options);
    expect([await charge({ id: 'a' }), await charge({ legacyId: 'a' }), await charge({ id: 'b' })]).toEqual([1, 1, 2]);
    const scope = jmespath("requestContext.authorizer.principalId || 'none'");
    expect(() =>
      httpIdempotency({ store, operation: 'pay', scope, fingerprint: jmespath('body || path') }),
    ).not.toThrow();
  });

  it.each<[unknown, string]>([
    ['id.', '`id.` is no JMESPath expression: Invalid jmespath expression:'],
    ['', '`` is no JMESPath expression: '],
    ['a(', '`a(` is no JMESPath expression: '],
    ['abs(a, b)', '`abs(a, b)` is no JMESPath expression: '],
    [
      'headers.idempotency-key || id',
      '`headers.idempotency-key || id` is no JMESPath expression: a name with a hyphen needs quotation marks, as in headers."idempotency-key": ',
    ],
    ['nope(id)', '`nope(id)` calls nope(), which is no function of JMESPath or Powertools'],
    ['nope (id)', '`nope (id)` calls nope(), which is no function of JMESPath or Powertools'],
    [undefined, 'jmespath(expression): must be a string'],
    [() => 'id', 'jmespath(expression): must be a string'],
  ])('refuses %j at once', (expression, message) => {
    const error = thrown(() => jmespath(expression as string));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`middy-idempotency: ${message}`);
  });

  it('refuses any text by a TypeError, or compiles it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (text) => {
        try {
          expect(jmespath(text).search).toBeTypeOf('function');
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 2000, seed: 6 },
    );
  });

  it('fails with the error of the function, as a path does', () => {
    const { cause } = refusal('powertools_json(body) || id', { body: '{' });
    expect(cause).toBeInstanceOf(SyntaxError);
    expect(refusal('to_string(id)', { id: 2 ** 53 }).cause).toBeInstanceOf(RangeError);
    expect(refusal('powertools_json(body).id || other', { body: {} }).advice).toContain('Use this guard first.');
  });
});

const ENTRIES = ['index.ts', 'http/index.ts', 'events/index.ts', 'operator/index.ts', 'stores/dynamodb.ts'];

it.each([...ENTRIES, 'jmespath/index.ts'])('no entry but its own brings the engine: %s', async (entry) => {
  const { metafile } = await build({
    entryPoints: [`src/${entry}`],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    external: ['@aws-sdk/*'],
  });
  const engine = Object.keys(metafile.inputs).filter((path) => path.includes('@aws-lambda-powertools/'));
  expect(engine.length > 0).toBe(entry === 'jmespath/index.ts');
});

function thrownOrId(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return (error as IdempotencyError).code;
  }
}

describe('an expression', () => {
  it.each([
    ["join('nope(', [id])", 'x'],
    ['"nope(x)"', 'quoted'],
    ["join('{\\'nope(', [id])", 'x'],
    ['join(`"nope(\\`("`, [id])', 'x'],
    ['"a\\"nope("', 'escaped'],
  ])('%s may have parentheses in its literals', (key, selected) => {
    const event = { id: 'x', 'nope(x)': 'quoted', 'a"nope(': 'escaped' };
    expect(of(key, event)).toBe(of('k', { k: selected }));
  });

  it.each([
    ["'{' || id", "'{{{'"],
    ['"{"', '"{"'],
    ['`"{"` || id', '`"{{"`'],
    ['`{"a":{"b":1}}`', 'JSON'],
  ])('with braces in its literals selects a whole object, nulls included: [%s, payload]', (literal) => {
    const event = { id: 'x', '{': 'x', payload: { note: null } };
    expect(of(`[${literal}, payload]`, event)).toMatch(/^pay#/);
  });

  it('looks for gaps as deep as its hashes are nested, not deeper', () => {
    const event = { payload: { note: null }, id: 1 };
    expect(of("[{a: payload}, {b: payload}, {c: id || 'none'}]", event)).toMatch(/^pay#/);
    expect(of('{a: {b: payload || id}}', event)).toMatch(/^pay#/);
    expect(refusal('{a: {b: absent || absent}}', event)).toMatchObject({ code: 'KEY_MISSING' });
    expect(refusal('{a: payload, b: {c: id || absent}}', event)).toMatchObject({ code: 'KEY_MISSING' });
  });

  it.each(['abs(x)', "join(',', x)", 'powertools_base64_gzip(x || y)'])(
    '%s of the wrong type is KEY_INVALID',
    (key) => {
      expect(refusal(key, { x: [...gzipSync('1')] })).toMatchObject({ code: 'KEY_INVALID' });
    },
  );

  it('unpacks what a request may hold', () => {
    const text = 'x'.repeat(100_000);
    const body = gzipSync(text).toString('base64');
    expect(of('powertools_base64_gzip(body || other)', { body })).toBe(of('k', { k: text }));
  });
});

describe('a key that is the same for requests that have nothing in common', () => {
  it.each([
    "'orderId'",
    "['v1']",
    "{version: 'v1'}",
    '`5`',
    '`false`',
    "id || 'none'",
    "not_null(id, 'none')",
    'type(id)',
    "[id, 'x'][1]",
    "id == 'x'",
  ])('%s is refused at construction', (key) => {
    expect(thrown(() => resolveRequestOptions({ key: jmespath(key) })).message).toBe(
      `middy-idempotency: option \`key\`: \`${key}\` selects the same from requests that have nothing in common, which would ` +
        "share one record. Select a member, without a default: id is one, 'id' is a text. What becomes of a request without a " +
        'key, onMissingKey says',
    );
  });

  it.each([
    ["['v1', id]", { id: 1 }],
    ["{version: 'v1', id: id}", { id: 1 }],
    ['id || other', { other: 1 }],
    ["join('-', ['v1', id])", { id: 'x' }],
    ["[id || 'none', tenant]", { tenant: 't' }],
    ['powertools_json(body || `"{}"`).id', { body: '{"id":1}' }],
    ['type(@)', {}],
    ['length(@)', { id: 1 }],
    ['length(items)', { items: [1] }],
    ['to_string(@)', { id: 1 }],
    ['keys(@)', { id: 1 }],
    ['length(* || `[]`)', { id: 1 }],
    ['@', { id: 1 }],
  ])('%s is not one', (key, event) => {
    expect(of(key, event)).toMatch(/^pay#/);
  });

  it('but a scope and a fingerprint may be: there may be one tenant, and requests without a payload', () => {
    const idOf = (scope: string) => {
      const constants = { scope: jmespath(scope), fingerprint: jmespath("body || 'none'") };
      return identify(resolveRequestOptions({ key: 'id', ...constants }), 'pay', [{ id: 1 }])?.id;
    };
    expect(idOf("'tenant-a'")).toMatch(/^pay#/);
    expect(idOf("'tenant-a'")).not.toBe(idOf("'tenant-b'"));
  });
});
