import { gzipSync } from 'node:zlib';
import { search } from '@aws-lambda-powertools/jmespath';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strictFunctions } from '../../src/jmespath/functions.ts';
import { identify } from '../../src/request-key/identify.ts';
import { compilePath } from '../../src/request-key/path.ts';
import { resolveRequestOptions } from '../../src/request-key/request-options.ts';

const NAMES = [
  'id',
  'order',
  'body',
  'headers',
  'idempotency-key',
  'a b',
  'ü',
  '',
  'x"y',
  '\\',
  'null',
  'powertools_json',
];
const FUNCTIONS = ['powertools_json', 'powertools_base64', 'powertools_base64_gzip'];

const name = fc.constantFrom(...NAMES).chain((text) => {
  const quoted = JSON.stringify(text);
  return /^[A-Za-z_]\w*$/.test(text) ? fc.constantFrom(text, quoted) : fc.constant(quoted);
});
const space = fc.constantFrom('', '', '', ' ', '\n', '\t', '\r');
const spaced = (text: fc.Arbitrary<string>) => fc.tuple(space, text, space).map((parts) => parts.join(''));
const several = <T>(text: fc.Arbitrary<T>) => fc.array(text, { minLength: 1, maxLength: 3 });

/** Paths, and what may follow a dot in them. */
function paths(brackets: readonly string[]): fc.Arbitrary<string> {
  return fc.letrec<{ path: string; member: string }>((tie) => {
    const bracket = fc.tuple(space, fc.constantFrom(...brackets)).map(([gap, text]) => `[${gap}${text}${gap}]`);
    const path = spaced(tie('path'));
    return {
      member: fc.oneof(
        { depthSize: 'small', withCrossShrink: true },
        name,
        several(path).map((members) => `[${members.join()}]`),
        several(fc.tuple(spaced(name), path)).map((pairs) => `{${pairs.map((pair) => pair.join(':')).join()}}`),
        fc.tuple(fc.constantFrom(...FUNCTIONS), path).map(([call, argument]) => `${call}(${argument})`),
      ),
      path: fc
        .tuple(
          fc.oneof({ depthSize: 'small' }, tie('member'), tie('member'), fc.constant('@'), bracket),
          fc.array(
            fc.oneof(
              { depthSize: 'small' },
              spaced(tie('member')).map((member) => `.${member}`),
              bracket,
            ),
            { maxLength: 4 },
          ),
          space,
        )
        .map(([first, rest, gap]) => [first, ...rest].join(gap)),
    };
  }).path;
}

const INDEXES = ['0', '1', '-1', '-2', '-0', '00', '7'];
const TEXTS = ['', 'text', '{"id":1}', '{"order":{"id":"o"}}', '[{"id":"x"},[]]', '[]', '7'];
const texts = [
  ...TEXTS,
  ...TEXTS.map((text) => Buffer.from(text).toString('base64')),
  ...TEXTS.map((text) => gzipSync(text).toString('base64')),
  '{broken',
  '/w==',
];

function events(scalars: readonly unknown[]): fc.Arbitrary<unknown> {
  return fc.letrec<{ event: unknown }>((tie) => ({
    event: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<unknown>(...scalars, ...texts),
      fc.array(tie('event'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...NAMES), tie('event'), { maxKeys: 6 }),
    ),
  })).event;
}

type Answer = { readonly value?: unknown; readonly failed?: true };

function answerOf(select: () => unknown): Answer {
  try {
    return { value: select() };
  } catch {
    return { failed: true };
  }
}

const library = (expression: string, event: unknown) =>
  answerOf(() => search(expression, event as never, { customFunctions: strictFunctions }));
const selected = (expression: string, event: unknown) => compilePath(expression)?.search(event);

/** No value of the event is null, so that each null stands for what is absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutNulls(member)]));
}

describe('a path', () => {
  it('selects what the library selects, from any event', () => {
    fc.assert(
      fc.property(paths(INDEXES), events([null, undefined, true, 0]), (expression, event) => {
        expect(compilePath(expression), expression).toBeDefined();
        expect(answerOf(() => selected(expression, event))).toEqual(library(expression, event));
      }),
      { numRuns: 4000, seed: 6 },
    );
  });

  it('of every member of a list selects what the library selects, but for what is absent', () => {
    fc.assert(
      // Without indexes: they count what is absent, too.
      fc.property(paths(['*']), events([true, 0]), (expression, event) => {
        const { value, ...ended } = answerOf(() => selected(expression, event));
        const expected = library(expression, event);
        expect({ ...ended, value: withoutNulls(value) }, expression).toEqual({
          ...expected,
          value: withoutNulls(expected.value),
        });
      }),
      { numRuns: 6000, seed: 6 },
    );
  });

  it.each<[string, unknown, unknown]>([
    ['lines[*].id', { lines: [{ id: 1 }, { sku: 'no id' }, null, 'text'] }, [1, null, null, null]],
    ['[*].id', [{ id: 1 }, {}], [1, null]],
    ['@[*].id', [{ id: 1 }, {}], [1, null]],
    ['lines[*]', { lines: [1, null] }, [1, null]],
    ['lines[*].[id, sku]', { lines: [{ id: 1 }] }, [[1, null]]],
    ['lines[*].{id: id}', { lines: [{ id: 1 }, {}] }, [{ id: 1 }, { id: null }]],
    ['lines[*][0]', { lines: [[1], []] }, [1, null]],
    ['lines[*].powertools_json(body).id', { lines: [{ body: '{"id":1}' }, {}] }, [1, null]],
    ['orders[*].lines[*].id', { orders: [{ lines: [{ id: 1 }, {}] }, {}] }, [[1, null], null]],
    ['[tenant, powertools_json(body).lines[*].id]', { tenant: 't', body: '{"lines":[{"id":1},{}]}' }, ['t', [1, null]]],
    ['lines [ * ] . id', { lines: [{ id: 1 }] }, [1]],
    ['lines[*].id', { lines: { id: 1 } }, null],
    ['lines[*].id', {}, null],
    ['lines[*].id', { lines: [] }, []],
  ])('of every member of a list keeps the place of what is absent: %s of %j', (expression, event, expected) => {
    expect(selected(expression, event)).toEqual(expected);
  });

  // As in the library: the list or the hash ends what is selected of every member.
  it.each<[string, unknown]>([
    ['lines[*].[id, sku][0]', [1, 2]],
    ['lines[*].{id: id}[1]', { id: 3 }],
    ['lines[*].{id: id}.id', null],
  ])('reads the list of all after a list or a hash of every member: %s', (expression, expected) => {
    const event = {
      lines: [
        { id: 1, sku: 2 },
        { id: 3, sku: 4 },
      ],
    };
    expect(selected(expression, event)).toEqual(expected);
    expect(library(expression, event)).toEqual({ value: expected });
  });

  it('is compiled from no text that the library refuses', () => {
    const pieces = fc.constantFrom(
      ...'.,:[](){}@* \u00a0\v-"\\'.split(''),
      ...['id', '"a b"', 'powertools_json', 'to_string', 'constructor(', '0', '-1', "'x'", '[*]', '[0]', '{a:', '[id'],
    );
    let compiled = 0;
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 9 }), (parts) => {
        const expression = parts.join('');
        if (compilePath(expression) === undefined) return;
        compiled++;
        const parse = () => search(expression, null as never, { customFunctions: strictFunctions });
        expect(parse, expression).not.toThrow();
      }),
      { numRuns: 40_000, seed: 6 },
    );
    expect(compiled).toBeGreaterThan(1000);
  });

  it('knows how deep its hashes are nested', () => {
    fc.assert(
      fc.property(paths([...INDEXES, '*']), (expression) => {
        let depth = 0;
        const depths = Array.from(expression, (sign) => (depth += Number(sign === '{') - Number(sign === '}')));
        expect(compilePath(expression)?.hashDepth, expression).toBe(Math.max(0, ...depths));
      }),
      { numRuns: 1000, seed: 6 },
    );
  });

  it('is never a constant: as a key it tells strangers apart, or refuses one of them', () => {
    const idOf = (key: string, event: unknown) => identify(resolveRequestOptions({ key }), 'pay', [event])?.id;
    fc.assert(
      fc.property(paths([...INDEXES, '*']), (expression) => {
        const strangers = [{}, { 'a member that nobody selects': 1 }, 'text'];
        const ids = strangers.map((stranger) => answerOf(() => idOf(expression, stranger)));
        expect(new Set(ids.map(({ value }) => value ?? Symbol('none'))).size, expression).toBeGreaterThan(1);
      }),
      { numRuns: 1000, seed: 6 },
    );
  });

  it.each([
    'headers."idempotency-key"',
    '[headers."idempotency-key", powertools_json(body).orderId]',
    'powertools_json(body).[a, b]',
    'Records[0].messageId',
    '{tenant: tenant, order: powertools_json(powertools_base64(body)).id}',
    'Sns.powertools_json(Message).id',
    '@',
  ])('%s is one', (expression) => expect(compilePath(expression)).toBeDefined());

  it.each([
    'a || b',
    'a[]',
    'a[1:2]',
    'a[?b]',
    '*',
    'a.*',
    'length(a)',
    'constructor(a)',
    '"powertools_json"(a)',
    'powertools_json(a, b)',
    'powertools_json()',
    "'a'",
    '`1`',
    '1',
    'a |b',
    'a..b',
    'a.@',
    'a.[0]',
    '[*][a]',
    '[a',
    'a]',
    '[]',
    '{}',
    '{a}',
    '{a: b',
    '{a: b,}',
    '{0: b}',
    '{@: b}',
    '',
    '"a',
    'a.',
    'a b',
    'a-b',
    'a\u00a0.b',
    '(a)',
    '['.repeat(50_000),
  ])('%s is none', (expression) => expect(compilePath(expression)).toBeUndefined());

  it('selects no member that an object only inherits, and may name one of a hash so', () => {
    for (const inherited of ['constructor', 'toString', '"__proto__"']) {
      expect(selected(inherited, {})).toBeNull();
      expect(selected(`{${inherited}: id}.${inherited}`, { id: 1 })).toBe(1);
      expect(selected(`{a: id}.${inherited}`, { id: 1 })).toBeNull();
    }
  });

  it('fails on what a function cannot read, and selects nothing where there is nothing', () => {
    const path = compilePath('powertools_json(body).id');
    expect(() => path?.search({ body: '{' })).toThrow(SyntaxError);
    expect(() => path?.search({ body: 1 })).toThrow('powertools_json() reads a string, and got type number');
    expect(path?.search({})).toBeNull();
    expect(path?.search(JSON.parse('{"body":"{\\"id\\":0}"}'))).toBe(0);
  });
});

describe('the functions of Powertools', () => {
  const base64 = (text: string | Buffer) => Buffer.from(text).toString('base64');
  const zipped = (text: string | Buffer) => base64(gzipSync(text));

  it.each<[string, unknown, unknown]>([
    ['powertools_base64', base64('é'), 'é'],
    ['powertools_base64', '', ''],
    ['powertools_base64_gzip', zipped('é'), 'é'],
    ['powertools_json', '{"a":[1]}', { a: [1] }],
    ...FUNCTIONS.map((call) => [call, null, null] as [string, unknown, unknown]),
  ])('%s reads %j', (call, body, expected) => {
    expect(selected(`${call}(body)`, { body })).toEqual(expected);
    expect(selected(`${call}(absent)`, { body })).toBeNull();
  });

  it.each<[string, unknown, RegExp]>([
    ['powertools_json', '{', /JSON/],
    ['powertools_base64', 'a', /not base64/],
    ['powertools_base64', 'YQ=', /not base64/],
    ['powertools_base64', 'Y===', /not base64/],
    ['powertools_base64', 'YWF-', /not base64/],
    ['powertools_base64', '/w==', /not valid for encoding utf-8/],
    ['powertools_base64_gzip', '*', /not base64/],
    ['powertools_base64_gzip', base64('text'), /header/],
    ['powertools_base64_gzip', zipped(Buffer.from([0xff])), /not valid for encoding utf-8/],
    ['powertools_base64_gzip', zipped('x'.repeat(64 * 1024 * 1024 + 1)), /larger than/],
    ...FUNCTIONS.map((call) => [call, ['text'], /reads a string, and got type object/] as [string, unknown, RegExp]),
    ...FUNCTIONS.map((call) => [call, {}, /reads a string, and got type object/] as [string, unknown, RegExp]),
    ...FUNCTIONS.map((call) => [call, true, /reads a string, and got type boolean/] as [string, unknown, RegExp]),
  ])('%s refuses %.20j', (call, body, problem) => {
    expect(() => selected(`${call}(body)`, { body })).toThrow(problem);
  });
});
