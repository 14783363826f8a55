import { randomUUID } from 'node:crypto';
import { jmespath } from 'middy-idempotency/jmespath';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();
const handler = vi.fn(async () => 'executed');
beforeEach(() => {
  handler.mockClear();
});

const call = (options: object, event: unknown) => guards.guarded({ handler, options })(event);
const refused = async (options: object, event: unknown) => {
  const error = await thrownBy(call(options, event));
  expect(handler).not.toHaveBeenCalled();
  return error;
};

describe('I9 no key, no guess', () => {
  it.each([
    ['absent', 'id', {}],
    ['a member of every line, of which one has none', 'lines[*].id', { lines: [{ id: 1 }, {}] }],
    ['null', 'id', { id: null }],
    ['empty', 'id', { id: '' }],
    ['blank', 'id', { id: ' \t' }],
    ['an empty list', 'ids', { ids: [] }],
    ['an empty object', 'order', { order: {} }],
    ['a list with a gap', '[tenant, id]', { tenant: 't' }],
    ['a list with an empty member', '[tenant, id]', { tenant: 't', id: '' }],
    ['a nested list with a gap', '[tenant, [id, line]]', { tenant: 't', id: 1 }],
    ['a hash with a gap', '{tenant: tenant, id: id}', { tenant: 't' }],
    ['a nested hash with a gap', '{tenant: tenant, order: {id: id}}', { tenant: 't' }],
    ['a body that is absent', 'powertools_json(body).id', {}],
    ['a body without the key', 'powertools_json(body).id', { body: '{}' }],
    ['undefined, by a function', () => undefined, {}],
    ['a list with undefined, by a function', () => ['t', undefined], {}],
    ['an object with undefined, by a function', () => ({ tenant: 't', id: undefined }), {}],
    ['a number that is absent, as text', jmespath('to_string(id)'), {}],
    ['a nested object with undefined, by a function', () => ({ t: 't', order: { id: undefined, line: 1 } }), {}],
    ['an invalid Date, by a function', () => new Date(Number.NaN), {}],
    ['a list with an invalid Date, by a function', () => ['t', new Date(Number.NaN)], {}],
  ])('is KEY_MISSING when the key is %s', async (_, key, event) => {
    expect(await refused({ key }, event)).toMatchObject({ code: 'KEY_MISSING', statusCode: 400 });
  });

  it.each([
    ['malformed JSON', 'powertools_json(body).id', { body: '{"id":' }],
    ['malformed JSON in a list', '[powertools_json(body).id, tenant]', { body: 'no', tenant: 't' }],
    ['a body that is no text', 'powertools_json(body).id', { body: { id: 1 } }],
    ['malformed base64', 'powertools_base64(body)', { body: '%%%' }],
    ['base64 that is no gzip', 'powertools_base64_gzip(body)', { body: 'aGVsbG8=' }],
    ['a number beyond every JSON parser', 'powertools_json(body).id', { body: '{"id":1e999}' }],
    ['an integer that JSON.parse rounds', 'powertools_json(body).id', { body: '{"id":9007199254740993}' }],
    ['a rounded integer as text', jmespath('to_string(powertools_json(body).id)'), { body: '{"id":9007199254740993}' }],
    ['bytes that are no text', 'powertools_base64(body)', { body: Buffer.from([0xff, 0x41]).toString('base64') }],
    ['an absent part of a joined key', jmespath("join('-', [tenant, to_string(id)])"), { tenant: 't' }],
    ['a rounded integer in a list', '[tenant, id]', { tenant: 't', id: 2 ** 53 }],
    ['a lone surrogate', 'id', { id: '\ud800' }],
    ['a BigInt, by a function', () => 1n, {}],
    ['a Map, by a function', () => new Map([['id', 1]]), {}],
    ['a function, by a function', () => () => 1, {}],
    ['NaN, by a function', () => Number.NaN, {}],
    [
      'a cycle, by a function',
      () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return cycle;
      },
      {},
    ],
    ['a function that throws', (event: { body: { id: string } }) => event.body.id, {}],
  ])('is KEY_INVALID, never an unguarded execution, with %s', async (_, key, event) => {
    const policy = { key, onMissingKey: 'run' } as const;
    expect(await refused(policy, event)).toMatchObject({ code: 'KEY_INVALID', statusCode: 400 });
  });

  it('is a TypeError, and no execution, when the key is a promise: that is a mistake in the program', async () => {
    const policy = { key: async () => 'key', onMissingKey: 'run' } as const;
    expect(await refused(policy, {})).toBeInstanceOf(TypeError);
    expect(handler).not.toHaveBeenCalled();
  });

  it.each([0, false, '0', 'false'])('takes %j for a key', async (value) => {
    const options = { operation: `key-${typeof value}-${value}` };
    await call(options, { id: value });
    await call(options, { id: value });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('keeps keys of different types apart', async () => {
    const options = { operation: randomUUID() };
    for (const id of [0, '0', false, 'false', [0], ['0']]) await call(options, { id });
    expect(handler).toHaveBeenCalledTimes(6);
  });

  it('takes a whole payload for a key, whatever the order of its properties, nulls included', async () => {
    const options = { key: 'powertools_json(body)' };
    const id = randomUUID();
    await call(options, { body: JSON.stringify({ id, note: null, lines: [1, 2] }) });
    await call(options, { body: `{"lines": [1, 2],\n "note": null, "id": "${id}"}` });
    expect(handler).toHaveBeenCalledTimes(1);
    await call(options, { body: JSON.stringify({ id, note: null, lines: [2, 1] }) });
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it("executes unguarded with onMissingKey 'run', says so, and gives no handle", async () => {
    const seen = vi.fn(async (_event: unknown, context: { idempotency: unknown }) => context.idempotency);
    const run = guards.guarded({ handler: seen as never, options: { onMissingKey: 'run' } });
    expect(await run({})).toBeUndefined();
    expect(await run({})).toBeUndefined();
    expect(seen).toHaveBeenCalledTimes(2);
    expect(guards.events).toEqual([
      { type: 'unguarded', operation: 'test', id: '', attempt: 0, durationMillis: 0 },
      { type: 'unguarded', operation: 'test', id: '', attempt: 0, durationMillis: 0 },
    ]);
  });

  it("refuses a request without its scope, also with onMissingKey 'run'", async () => {
    const options = { scope: 'tenant', onMissingKey: 'run' } as const;
    expect(await refused(options, { id: '1' })).toMatchObject({ code: 'SCOPE_MISSING', statusCode: 500 });
  });

  it('refuses a malformed fingerprint', async () => {
    const options = { fingerprint: 'powertools_json(body)' };
    expect(await refused(options, { id: '1', body: '{' })).toMatchObject({ code: 'KEY_INVALID' });
  });

  it.each(['payload', '[payload, other]'])('refuses a fingerprint %s that selects nothing', async (fingerprint) => {
    expect(await refused({ fingerprint }, { id: '1' })).toMatchObject({ code: 'KEY_INVALID' });
  });

  it('refuses a fingerprint with a number that was rounded: another one would have the same', async () => {
    const error = await refused(
      { fingerprint: 'powertools_json(body)' },
      { id: '1', body: '{"account":9007199254740993}' },
    );
    expect(error).toMatchObject({ code: 'KEY_INVALID', message: expect.stringContaining('rounds') });
  });

  it('refuses what unpacks to more than any request can be', async () => {
    const { gzipSync } = await import('node:zlib');
    const bomb = gzipSync(Buffer.alloc(70 * 1024 * 1024)).toString('base64');
    expect(await refused({ key: 'powertools_base64_gzip(body)' }, { body: bomb })).toMatchObject({
      code: 'KEY_INVALID',
      cause: { code: 'ERR_BUFFER_TOO_LARGE' },
    });
  });

  it('says nothing of the payload in its message', async () => {
    const error = (await refused({ key: 'powertools_json(body).id' }, { body: 'secret' })) as Error;
    expect(error.message).not.toContain('secret');
  });
});
