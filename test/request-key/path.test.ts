import { search } from '@aws-lambda-powertools/jmespath';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { strictFunctions } from '../../src/request-key/functions.ts';
import { compileExpression } from '../../src/request-key/jmespath.ts';
import { compilePath } from '../../src/request-key/path.ts';

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
const name = fc.constantFrom(...NAMES).chain((text) => {
  const quoted = JSON.stringify(text);
  return /^[A-Za-z_]\w*$/.test(text) ? fc.constantFrom(text, quoted) : fc.constant(quoted);
});
const space = fc.constantFrom('', '', '', ' ', '\n', '\t');

const { path } = fc.letrec<{ path: string; list: string }>((tie) => ({
  list: fc.array(tie('path'), { minLength: 1, maxLength: 3 }).map((members) => `[${members.join(', ')}]`),
  path: fc
    .tuple(
      fc.oneof(
        { depthSize: 'small' },
        name,
        tie('list'),
        fc.tuple(space, tie('path'), space).map(([a, inner, b]) => `powertools_json(${a}${inner}${b})`),
      ),
      fc.array(fc.oneof({ depthSize: 'small' }, name, tie('list')), { maxLength: 3 }),
      space,
    )
    .map(([first, rest, gap]) => [first, ...rest].join(`${gap}.${gap}`)),
}));

const { event } = fc.letrec<{ event: unknown }>((tie) => ({
  event: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(null, undefined, true, 0, '', 'text', '{"id":1}', '{"order":{"id":"o"}}', '{broken', '[]'),
    fc.array(tie('event'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('event'), { maxKeys: 6 }),
  ),
}));

/** No value of the event is null, so that each null stands for what is absent. */
function withoutNulls(selected: unknown): unknown {
  return Array.isArray(selected) ? selected.filter((one) => one !== null).map(withoutNulls) : selected;
}

type Answer = { readonly value?: unknown; readonly failed?: true };

function answerOf(select: () => unknown): Answer {
  try {
    return { value: select() };
  } catch {
    return { failed: true };
  }
}

describe('a path', () => {
  it('selects what the library selects, from any event', () => {
    fc.assert(
      fc.property(path, event, (expression, value) => {
        const select = compilePath(expression);
        expect(select, expression).toBeTypeOf('function');
        const library = answerOf(() => search(expression, value as never, { customFunctions: strictFunctions }));
        expect(answerOf(() => select?.(value))).toEqual(library);
      }),
      { numRuns: 1500, seed: 6 },
    );
  });

  it.each<[string, unknown, unknown]>([
    ['lines[*].id', { lines: [{ id: 1 }, { sku: 'no id' }, null, 'text'] }, [1, null, null, null]],
    ['[*].id', [{ id: 1 }, {}], [1, null]],
    ['lines[*]', { lines: [1, null] }, [1, null]],
    ['lines[*].[id, sku]', { lines: [{ id: 1 }] }, [[1, null]]],
    ['orders[*].lines[*].id', { orders: [{ lines: [{ id: 1 }, {}] }, {}] }, [[1, null], null]],
    ['[tenant, powertools_json(body).lines[*].id]', { tenant: 't', body: '{"lines":[{"id":1},{}]}' }, ['t', [1, null]]],
    ['lines [ * ] . id', { lines: [{ id: 1 }] }, [1]],
    ['lines[*].id', { lines: { id: 1 } }, null],
    ['lines[*].id', {}, null],
    ['lines[*].id', { lines: [] }, []],
  ])('of every member of a list keeps the place of what is absent: %s of %j', (expression, value, selected) => {
    expect(compilePath(expression)?.(value)).toEqual(selected);
  });

  it('of every member of a list selects what the library selects, but for that', () => {
    const names = fc.constantFrom('id', 'order', '"a b"');
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(0, '', 'text', false),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('id', 'order', 'a b'), tie('value'), { maxKeys: 3 }),
      ),
    })).value;
    const steps = fc.array(
      fc.oneof(
        names.map((one) => `.${one}`),
        fc.constant('[*]'),
      ),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(names, steps, value, (first, rest, of) => {
        const expression = [first, ...rest].join('');
        const library = search(expression, of as never, { customFunctions: strictFunctions });
        expect(withoutNulls(compilePath(expression)?.(of)), expression).toEqual(library);
      }),
      { numRuns: 3000, seed: 6 },
    );
  });

  it('is compiled from no text that the library refuses', () => {
    const pieces = fc.constantFrom(
      'id',
      '"a b"',
      '.',
      ',',
      '[',
      ']',
      '(',
      ')',
      'powertools_json',
      ' ',
      '*',
      '0',
      '-',
      "'x'",
      '"',
      '\\',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 9 }), (texts) => {
        const expression = texts.join('');
        if (compilePath(expression) === undefined) return;
        const library = () => search(expression, null as never, { customFunctions: strictFunctions });
        expect(library, expression).not.toThrow();
      }),
      { numRuns: 20_000, seed: 6 },
    );
  });

  it.each([
    'headers."idempotency-key"',
    '[headers."idempotency-key", powertools_json(body).orderId]',
    'powertools_json(body).[a, b]',
  ])('%s is one', (expression) => expect(compilePath(expression)).toBeTypeOf('function'));

  it.each([
    'a || b',
    'a[0]',
    'a[]',
    '*',
    '{a: b}',
    'length(a)',
    "'a'",
    '`1`',
    '@',
    'a |b',
    'a..b',
    '[a',
    'a]',
    '',
    '"a',
    'a.',
    'a b',
    '(a)',
  ])('%s is none', (expression) => expect(compilePath(expression)).toBeUndefined());

  it('and other expressions are the library’s', () => {
    expect(compileExpression('key', 'items[].id').search({ items: [{ id: 1 }] })).toEqual([1]);
  });

  it('fails on what powertools_json cannot read, and selects nothing where there is nothing', () => {
    const select = compilePath('powertools_json(body).id');
    expect(() => select?.({ body: '{' })).toThrow('a function of the expression failed');
    expect(() => select?.({ body: 1 })).toThrow();
    expect(select?.({})).toBeNull();
    expect(select?.(JSON.parse('{"body":"{\\"id\\":0}"}'))).toBe(0);
  });
});
