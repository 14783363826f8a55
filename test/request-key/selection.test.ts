import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { jmespath } from 'middy-idempotency/jmespath';
import { describe, expect, it } from 'vitest';
import { IdempotencyError } from '../../src/errors.ts';
import { identify } from '../../src/request-key/identify.ts';
import { type RequestOptions, resolveRequestOptions } from '../../src/request-key/request-options.ts';

type Options = { readonly [K in keyof RequestOptions]: unknown };
const of = ({ onMissingKey, ...selectors }: Options, event: unknown = {}) =>
  identify(resolveRequestOptions({ ...compiled(selectors), onMissingKey } as never), 'pay', [event])?.id;

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

/** Paths are the same with and without `jmespath`. */
const compiled = (selectors: object) =>
  Object.fromEntries(
    Object.entries(selectors).map(([name, value]) => [name, typeof value === 'string' ? jmespath(value) : value]),
  );

const withHole = (id: string) => {
  const list: unknown[] = [];
  list[1] = id;
  return list;
};

describe('a refusal says what to do', () => {
  const ADVICE = 'The option `key` selected no key:';

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
      message: 'This request needs an idempotency key, so that a retry does not execute twice.',
      advice: `${ADVICE} ${why}`,
    });
  });

  it('when the scope is missing', () => {
    expect(refusal({ key: 'id', scope: 'tenant' }, { id: 1 })).toMatchObject({
      code: 'SCOPE_MISSING',
      message: 'The caller is not known, so this request cannot be kept apart from those of others.',
      advice:
        'The option `scope` selected no caller: it is absent. Is the authorizer missing? Else give a function, or ' +
        "'anonymous' in httpIdempotency.",
    });
  });

  it('when the fingerprint selects nothing', () => {
    expect(refusal({ key: 'id', fingerprint: '[a, b]' }, { id: 1 })).toMatchObject({
      code: 'KEY_INVALID',
      message: 'The idempotency fingerprint of this request cannot be computed.',
      advice: 'The option `fingerprint` selected nothing. Select what every request has.',
    });
  });

  it.each(['key', 'scope'])('when the %s has an integer that JSON.parse rounds', (option) => {
    const error = refusal({ key: 'id', scope: 'id', [option]: 'big' }, { id: 1, big: 2 ** 53 });
    expect(error).toMatchObject({
      code: 'KEY_INVALID',
      message: 'This request has an integer beyond 2^53. Send it as a string.',
      advice: `The option \`${option}\` selected a number that JSON.parse rounds.`,
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
      message: `The idempotency ${option} of this request cannot be used: it contains NaN, which JSON does not carry.`,
    });
  });

  it('when an expression cannot be evaluated', () => {
    expect(refusal({ key: 'powertools_json(body)' }, { body: '{' })).toMatchObject({
      code: 'KEY_INVALID',
      message: 'The idempotency key of this request cannot be read: the request is malformed.',
      advice: 'The option `key` threw: see the cause.',
      cause: { name: 'SyntaxError' },
    });
  });

  it.each<[string, unknown]>([
    ['a path', 'powertools_json(body).id'],
    ['jmespath()', jmespath('powertools_json(body).id')],
    ['a function', (event: { body: string }) => JSON.parse(event.body)],
  ])('and its error quotes nothing of a text that is no JSON, with %s', (_, key) => {
    const error = refusal({ key }, { body: 'secret of the client' });
    expect(error).toMatchObject({ code: 'KEY_INVALID', cause: { name: 'SyntaxError' } });
    expect(inspect(error)).not.toContain('secret');
  });

  it.each<[string, string, unknown, string]>([
    ['to_string(id)', 'RangeError', { id: 2 ** 53 }, 'to_string() of an integer beyond 2^53'],
    ['powertools_base64(id)', 'TypeError', { id: '/w==' }, 'The encoded data was not valid for encoding utf-8'],
    [
      'powertools_base64_gzip(id)',
      'TypeError',
      { id: gzipSync(Buffer.from([0xff])).toString('base64') },
      'The encoded data was not valid for encoding utf-8',
    ],
  ])('and why, when %s would make two requests alike', (key, name, event, message) => {
    expect(refusal({ key }, event)).toMatchObject({ code: 'KEY_INVALID', cause: { name, message } });
  });

  it.each<[string, unknown]>([
    ['object', { id: 1, secret: 'of the client' }],
    ['object', [1]],
    ['number', 1],
  ])('and that a body parser stands in front, where powertools_json gets type %s', (type, body) => {
    for (const key of ['powertools_json(body).id', 'powertools_json(body).id || other']) {
      expect(refusal({ key }, { body })).toMatchObject({
        code: 'KEY_INVALID',
        advice:
          `The option \`key\` threw: powertools_json() reads a string, and got type ${type}. Has a body parser parsed it? ` +
          'Use this guard first.',
      });
    }
  });
});

describe('a wrong option is explained at construction', () => {
  const MUST_BE = "must be a path, such as 'order.id', a function, or jmespath('…')";
  const HYPHEN = 'a name with a hyphen needs quotation marks, as in headers."idempotency-key"';
  const ADVICE = (option: string) =>
    `for all of JMESPath, write ${option}: jmespath('…'), which you import from 'middy-idempotency/jmespath'`;

  it.each<[object, string]>([
    [{}, "option `key`: is required: a path, such as 'order.id', a function, or jmespath('…')"],
    [{ key: '  ' }, 'option `key`: `  ` is no path'],
    [{ key: 5 }, `option \`key\`: ${MUST_BE}`],
    [{ key: null }, `option \`key\`: ${MUST_BE}`],
    [{ key: { hashDepth: 0 } }, `option \`key\`: ${MUST_BE}`],
    [{ key: 'id', scope: '' }, 'option `scope`: `` is no path'],
    [{ key: 'id', fingerprint: [] }, `option \`fingerprint\`: ${MUST_BE}`],
    [{ key: 'id', onMissingKey: 'no' }, "option `onMissingKey`: must be 'throw' or 'run', not 'no'"],
    [
      { key: 'id', operation: ' ' },
      "option `operation`: must be a string of 1 to 1024 bytes, such as 'create-payment'",
    ],
    [{ key: 'id.' }, `option \`key\`: \`id.\` is no path: ${ADVICE('key')}`],
    [{ key: 'id || other' }, `option \`key\`: \`id || other\` is no path: ${ADVICE('key')}`],
    [{ key: 'id', scope: 'a[]' }, `option \`scope\`: \`a[]\` is no path: ${ADVICE('scope')}`],
    [{ key: 'id', fingerprint: "'{-}'" }, `option \`fingerprint\`: \`'{-}'\` is no path: ${ADVICE('fingerprint')}`],
    [{ key: 'headers.idempotency-key' }, `option \`key\`: \`headers.idempotency-key\` is no path: ${HYPHEN}`],
    [{ key: '[a, b-c]' }, `option \`key\`: \`[a, b-c]\` is no path: ${HYPHEN}`],
  ])('%j', (options, message) => {
    expect(atConstruction(options)).toContain(`middy-idempotency: ${message}`);
  });

  it('and an operation may have 1024 bytes', () => {
    const named = (operation: string) => resolveRequestOptions({ key: 'id', operation }).operation;
    expect(named('ü'.repeat(512))).toBe('ü'.repeat(512));
    expect(() => named(`${'ü'.repeat(512)}o`)).toThrow('option `operation`');
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

  it.each([
    ['this realm', () => Promise.reject(new Error('no caller waits for this'))],
    ['another realm', runInNewContext("async () => { throw new Error('no caller waits for this'); }")],
  ])('that answers with a promise of %s leaves no rejection behind', async (_, key) => {
    const rejections: unknown[] = [];
    const note = (reason: unknown) => rejections.push(reason);
    process.on('unhandledRejection', note);
    try {
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
