import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { IdempotencyError } from '../../src/errors.ts';
import { identify } from '../../src/request-key/identity.ts';
import { type RequestOptions, resolveRequestOptions } from '../../src/request-key/options.ts';

type Options = { readonly [K in keyof RequestOptions]: unknown };
const of = (options: Options, event: unknown = {}) =>
  identify(resolveRequestOptions(options as never), 'pay', [event])?.id;

function thrown(run: () => unknown): IdempotencyError {
  try {
    run();
  } catch (error) {
    return error as IdempotencyError;
  }
  throw new Error('nothing was thrown');
}

const refusal = (options: Options, event?: unknown) => thrown(() => of(options, event));
const atConstruction = (options: object) => thrown(() => resolveRequestOptions(options as never)).message;

const withHole = (id: string) => {
  const list: unknown[] = [];
  list[1] = id;
  return list;
};

describe('a refusal says what to do', () => {
  const ADVICE = 'The option `key` selected nothing that identifies the request:';

  it.each<[string, unknown, unknown, string]>([
    ['absent', 'id', {}, 'it is absent.'],
    ['blank', 'id', { id: ' ' }, 'it is empty.'],
    ['an empty list', 'ids', { ids: [] }, 'it is empty.'],
    ['a list with a gap', '[tenant, id]', { tenant: 't' }, 'its member 1: it is absent.'],
    ['a hash with a gap in a list', '[{id: id}]', { tenant: 't' }, 'its member 0: its member id: it is absent.'],
    [
      'a nested object with undefined, by a function',
      () => ({ order: { id: undefined } }),
      {},
      'its member order: its member id: it is absent.',
    ],
    ['an invalid Date, by a function', () => [new Date(Number.NaN)], {}, 'its member 0: it is absent.'],
    ['a list with a hole', 'ids', { ids: withHole('id') }, 'its member 0: it is absent.'],
    ['a list with a hole, by a function', () => withHole('id'), {}, 'its member 0: it is absent.'],
    [
      'a hole in a list',
      '[tenant, ids]',
      { tenant: 't', ids: withHole('id') },
      'its member 1: its member 0: it is absent.',
    ],
    [
      'a hole further inside, by a function',
      () => ({ ids: withHole('id') }),
      {},
      'its member ids: its member 0: it is absent.',
    ],
    [
      'a list with a hole and a name',
      'ids',
      { ids: Object.assign(withHole('id'), { a: 1 }) },
      'its member 0: it is absent.',
    ],
    [
      'a member of every line, and one has none',
      'lines[*].id',
      { lines: [{ id: 1 }, {}] },
      'its member 1: it is absent.',
    ],
    ['nothing but holes', 'ids', { ids: new Array(2) }, 'its member 0: it is absent.'],
    ['the groups of a match that have no names', () => /(x)/.exec('x'), {}, 'its member groups: it is absent.'],
  ])('when the key is %s', (_, key, event, why) => {
    expect(refusal({ key }, event)).toMatchObject({
      code: 'KEY_MISSING',
      message: 'This request needs an idempotency key, so that a retry of it is not executed twice. Send one.',
      advice: `${ADVICE} ${why}`,
    });
  });

  it('when the scope is missing', () => {
    expect(refusal({ key: 'id', scope: 'tenant' }, { id: 1 })).toMatchObject({
      code: 'SCOPE_MISSING',
      message: 'It is not known who is calling, so that this request cannot be kept apart from those of others.',
      advice:
        'The option `scope` selected nothing that identifies the caller: it is absent. Is the authorizer missing? Give a ' +
        "function that knows your callers; or, where there are none to tell apart, scope: 'anonymous' (httpIdempotency), which " +
        'still refuses somebody whom it cannot name.',
    });
  });

  it('when the fingerprint selects nothing', () => {
    expect(refusal({ key: 'id', fingerprint: '[a, b]' }, { id: 1 })).toMatchObject({
      code: 'KEY_INVALID',
      message: 'The idempotency fingerprint of this request cannot be computed.',
      advice:
        'The option `fingerprint` selected nothing. Select something that every request has, such as [rawPath, body].',
    });
  });

  it.each(['key', 'scope'])('when the %s has an integer that JSON.parse rounds', (option) => {
    const error = refusal({ key: 'id', scope: 'id', [option]: 'big' }, { id: 1, big: 2 ** 53 });
    expect(error).toMatchObject({
      code: 'KEY_INVALID',
      message: `The idempotency ${option} of this request has an integer beyond 2^53. Send it as a string.`,
    });
  });

  it('when the fingerprint has an integer that JSON.parse rounds', () => {
    expect(refusal({ key: 'id', fingerprint: 'big' }, { id: 1, big: 2 ** 53 })).toMatchObject({
      code: 'KEY_INVALID',
      message: 'This request has an integer beyond 2^53. Send it as a string.',
    });
  });

  it.each(['key', 'scope', 'fingerprint'])('when the %s is no JSON', (option) => {
    const error = refusal({ key: 'id', scope: 'id', [option]: 'bad' }, { id: 1, bad: Number.NaN });
    expect(error).toMatchObject({
      code: 'KEY_INVALID',
      message: `The idempotency ${option} of this request cannot be used: NaN is no JSON number.`,
    });
  });

  it('when an expression cannot be evaluated', () => {
    expect(refusal({ key: 'powertools_json(body)' }, { body: '{' })).toMatchObject({
      code: 'KEY_INVALID',
      message: 'The idempotency key cannot be read from this request: the request is malformed.',
      advice: 'Evaluating the option `key` threw; the cause has the details.',
      cause: {
        name: 'SelectionFailure',
        message: expect.stringContaining('a function of the expression failed'),
        cause: { name: 'SyntaxError' },
      },
    });
  });

  it.each<[string, string, unknown, string]>([
    ['to_string(id)', 'RangeError', { id: 2 ** 53 }, 'to_string() of an integer beyond 2^53'],
    ['powertools_base64(id)', 'TypeError', { id: '/w==' }, 'the decoded bytes are not UTF-8'],
    [
      'powertools_base64_gzip(id)',
      'TypeError',
      { id: gzipSync(Buffer.from([0xff])).toString('base64') },
      'the decoded bytes are not UTF-8',
    ],
  ])('and why, when %s would make two requests alike', (key, name, event, message) => {
    expect(refusal({ key }, event)).toMatchObject({ code: 'KEY_INVALID', cause: { cause: { name, message } } });
  });

  it.each<[string, unknown]>([
    ['an object', { id: 1, secret: 'of the client' }],
    ['a list', [1]],
    ['a number', 1],
  ])('and that a body parser stands in front, where powertools_json gets %s', (what, body) => {
    for (const key of ['powertools_json(body).id', 'powertools_json(body).id || other']) {
      expect(refusal({ key }, { body })).toMatchObject({
        code: 'KEY_INVALID',
        advice:
          `Evaluating the option \`key\` threw: powertools_json() got ${what}, and reads text. Has a body parser in front of this ` +
          'guard parsed it? Use this guard first.',
      });
    }
  });
});

describe('a wrong option is explained at construction', () => {
  it.each<[object, string]>([
    [{}, 'option `key`: is required: a JMESPath expression or a function of the event'],
    [{ key: '  ' }, 'option `key`: must be a JMESPath expression or a function'],
    [{ key: 5 }, 'option `key`: must be a JMESPath expression or a function'],
    [{ key: 'id', scope: '' }, 'option `scope`: must be a JMESPath expression or a function'],
    [{ key: 'id', onMissingKey: 'no' }, "option `onMissingKey`: must be 'throw' or 'run', not 'no'"],
    [
      { key: 'id', operation: ' ' },
      "option `operation`: must be a string of 1 to 1024 bytes, such as 'create-payment'",
    ],
    [{ key: 'id.' }, 'option `key`: `id.` is no JMESPath expression: Invalid jmespath expression:'],
    [
      { key: 'headers.idempotency-key' },
      'option `key`: `headers.idempotency-key` is no JMESPath expression: a name with a hyphen needs quotation marks, as in headers."idempotency-key"',
    ],
    [
      { key: '[a, b-c]' },
      'option `key`: `[a, b-c]` is no JMESPath expression: a name with a hyphen needs quotation marks',
    ],
    [{ key: 'nope(id)' }, 'option `key`: `nope(id)` calls nope(), which is no function of JMESPath or Powertools'],
    [{ key: 'nope (id)' }, 'option `key`: `nope (id)` calls nope(), which is no function of JMESPath or Powertools'],
  ])('%j', (options, message) => {
    expect(atConstruction(options)).toContain(`middy-idempotency: ${message}`);
  });

  it('and an operation may have 1024 bytes', () => {
    const named = (operation: string) => resolveRequestOptions({ key: 'id', operation }).operation;
    expect(named('ü'.repeat(512))).toBe('ü'.repeat(512));
    expect(() => named(`${'ü'.repeat(512)}o`)).toThrow('option `operation`');
  });
});

describe('an expression', () => {
  it.each([
    ["join('nope(', [id])", 'x'],
    ['"nope(x)"', 'quoted'],
    ["join('{\\'nope(', [id])", 'x'],
    ['join(`"nope(\\`("`, [id])', 'x'],
    ['"a\\"nope("', 'escaped'],
  ])('%s may have parentheses in its literals', (key, selected) => {
    const event = { id: 'x', 'nope(x)': 'quoted', 'a"nope(': 'escaped' };
    expect(of({ key }, event)).toBe(of({ key: 'k' }, { k: selected }));
  });

  it.each([
    ["'{' || id", "'{{{'"],
    ['"{"', '"{"'],
    ['`"{"` || id', '`"{{"`'],
    ['`{"a":{"b":1}}`', 'JSON'],
  ])('with braces in its literals selects a whole object, nulls included: [%s, payload]', (literal) => {
    const event = { id: 'x', '{': 'x', payload: { note: null } };
    expect(of({ key: `[${literal}, payload]` }, event)).toMatch(/^pay#/);
  });

  it('looks for gaps as deep as its hashes are nested, not deeper', () => {
    const event = { payload: { note: null }, id: 1 };
    expect(of({ key: '[{a: payload}, {b: payload}, {c: id}]' }, event)).toMatch(/^pay#/);
    expect(of({ key: '{a: {b: payload}}' }, event)).toMatch(/^pay#/);
    expect(refusal({ key: '{a: {b: absent}}' }, event)).toMatchObject({ code: 'KEY_MISSING' });
    expect(refusal({ key: '{a: payload, b: {c: id}}' }, event)).toMatchObject({ code: 'KEY_MISSING' });
  });

  it.each(['abs(x)', "join(',', x)", 'powertools_base64_gzip(x)'])('%s of the wrong type is KEY_INVALID', (key) => {
    expect(refusal({ key }, { x: [...gzipSync('1')] })).toMatchObject({ code: 'KEY_INVALID' });
  });

  it('unpacks what a request may hold', () => {
    const text = 'x'.repeat(100_000);
    const body = gzipSync(text).toString('base64');
    expect(of({ key: 'powertools_base64_gzip(body)' }, { body })).toBe(of({ key: 'k' }, { k: text }));
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
    expect(atConstruction({ key })).toBe(
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
    expect(of({ key }, event)).toMatch(/^pay#/);
  });

  it('but a scope and a fingerprint may be: there may be one tenant, and requests without a payload', () => {
    const options = { key: 'id', scope: "'tenant-a'", fingerprint: "body || 'none'" };
    expect(of(options, { id: 1 })).toMatch(/^pay#/);
    expect(of(options, { id: 1 })).not.toBe(of({ ...options, scope: "'tenant-b'" }, { id: 1 }));
  });
});

describe('a function', () => {
  it('may refuse a request by an error of this package, which stays as it is', () => {
    const error = new IdempotencyError('KEY_INVALID', 'no');
    const key = () => {
      throw error;
    };
    expect(refusal({ key })).toBe(error);
  });

  it('that answers with a promise leaves no rejection behind', async () => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
      const key = () => Promise.reject(new Error('nobody waits for this'));
      expect(refusal({ key })).toEqual(
        new TypeError(
          'middy-idempotency: option `key`: the function returned a promise; await it in a middleware in front',
        ),
      );
      await new Promise((resolve) => setImmediate(resolve));
      expect(rejections).toEqual([]);
    } finally {
      process.off('unhandledRejection', note);
    }
  });

  it.each([
    ['a Date', () => new Date(0), '1970-01-01T00:00:00.000Z'],
    ['an object whose members hold null', () => ({ payload: { note: null } }), { payload: { note: null } }],
    ['an object with a length', () => ({ length: 2, width: 3 }), { length: 2, width: 3 }],
    ['a number', () => 7, 7],
    ['a boolean', () => false, false],
  ])('may select %s', (_, key, same) => {
    expect(of({ key })).toBe(of({ key: 'k' }, { k: same }));
  });
});

it('a missing key stays a missing key, whatever its other members are', () => {
  const key = '[id, big]';
  expect(refusal({ key }, { big: 2 ** 53 })).toMatchObject({ code: 'KEY_MISSING' });
  expect(of({ key, onMissingKey: 'run' }, { big: 2 ** 53 })).toBeUndefined();
});

it('a fingerprint may have members that are absent', () => {
  const options = resolveRequestOptions({ key: 'id', fingerprint: '[path, body]' });
  const fingerprint = (event: object) => identify(options, 'pay', [{ id: 1, ...event }])?.fingerprint;
  expect(fingerprint({ path: '/a' })).toMatch(/^[\w-]{43}$/);
  expect(fingerprint({ path: '/a' })).not.toBe(fingerprint({ path: '/b' }));
});

it('a hole in the list of a fingerprint is a member that is absent', () => {
  const digest = (fingerprint: () => unknown) => {
    const options = resolveRequestOptions({ key: 'id', fingerprint });
    return identify(options, 'pay', [{ id: 1 }])?.fingerprint;
  };
  expect(digest(() => withHole('a'))).toBe(digest(() => [null, 'a']));
  expect(digest(() => withHole('a'))).not.toBe(digest(() => ['a']));
  expect(thrown(() => digest(() => new Array(2)))).toMatchObject({ code: 'KEY_INVALID' });
});
