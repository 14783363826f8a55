import { describe, expect, it } from 'vitest';
import { asReplay, asSent, inKind, statusOf, withoutHeaders } from '../../src/http/response.ts';

const header = () => [];
const single = { multiValue: false, header };
const multiple = { multiValue: true, header };
const NONE: ReadonlySet<string> = new Set();

describe('the kind of headers', () => {
  it('is left as it is where single values will do', () => {
    const response = { statusCode: 200, headers: { a: '1' }, multiValueHeaders: { b: ['2'] } };
    expect(inKind(response, single)).toBe(response);
  });

  it('is lists where an ALB has sent lists, those of the response before its single ones', () => {
    const response = { statusCode: 200, headers: { a: 1, b: 'x' }, multiValueHeaders: { b: ['2', '3'] } };
    expect(inKind(response, multiple)).toEqual({ statusCode: 200, multiValueHeaders: { a: ['1'], b: ['2', '3'] } });
  });

  it('leaves what is no text for the ALB to refuse', () => {
    const hostile = { toString: 1, valueOf: 2 };
    expect(inKind({ headers: { a: hostile, b: null } }, multiple)).toEqual({
      multiValueHeaders: { a: [hostile], b: [null] },
    });
  });

  it.each(['text', null, undefined, [1]])('is none of %j', (response) => {
    expect(inKind(response, multiple)).toBe(response);
  });
});

describe('what is stored', () => {
  it.each(['text', null, 7, [1], undefined])('of %j behind a REST API is the same, which is no response', (value) => {
    expect(withoutHeaders(asSent(value, { shape: 'v1' }), NONE)).toEqual(value);
    expect(withoutHeaders(asSent(value, { shape: 'alb' }), NONE)).toEqual(value);
  });

  it.each([
    ['text', 'text'],
    [null, 'null'],
    [undefined, 'null'],
    [[1], '[1]'],
    [{ id: 1 }, '{"id":1}'],
  ])('of %j in format 2.0 is the response that it stands for', (value, body) => {
    const headers = { 'content-type': 'application/json' };
    expect(withoutHeaders(asSent(value, { shape: 'v2' }), NONE)).toStrictEqual({ statusCode: 200, headers, body });
  });

  it('is the response itself where nothing is left out', () => {
    const response = { statusCode: 200, cookies: ['a=1'], headers: { A: '1' }, multiValueHeaders: null };
    expect(withoutHeaders(response, new Set(['b']))).toBe(response);
  });

  it('has no member that the response did not have', () => {
    expect(withoutHeaders(asSent({ statusCode: 204 }, { shape: 'v2' }), NONE)).toStrictEqual({ statusCode: 204 });
    const all = { statusCode: 200, cookies: ['a=1'], headers: { A: '1' }, multiValueHeaders: { B: ['2'] } };
    expect(withoutHeaders(asSent(all, { shape: 'v2' }), NONE)).toStrictEqual(all);
    expect(withoutHeaders(asSent(all, { shape: 'v2' }), new Set(['a', 'b', 'set-cookie']))).toStrictEqual({
      statusCode: 200,
      headers: {},
      multiValueHeaders: {},
    });
  });
});

describe('a replay', () => {
  it('is marked once, whatever the handler has marked', () => {
    const response = { statusCode: 200, headers: { 'IDEMPOTENT-replayed': 'no', a: '1' }, body: 'x' };
    const headers = { a: '1', 'Idempotent-Replayed': 'true' };
    expect(asReplay(response, single)).toStrictEqual({ statusCode: 200, headers, body: 'x' });
    expect(asReplay({ statusCode: 200 }, multiple)).toStrictEqual({
      statusCode: 200,
      multiValueHeaders: { 'Idempotent-Replayed': ['true'] },
    });
  });

  it.each(['text', null, undefined, [1], { id: 1 }])('of %j, which has no headers, is that', (value) => {
    expect(asReplay(value, single)).toBe(value);
  });
});

describe('the status', () => {
  it.each<[unknown, number]>([
    [{ statusCode: 404 }, 404],
    [{ statusCode: '503' }, 503],
    [{}, 200],
    ['text', 200],
    [undefined, 200],
    [{ statusCode: 'no' }, 200],
    [{ toJSON: () => ({ statusCode: 500 }) }, 500],
    [{ toJSON: () => undefined }, 200],
  ])('of %o is %i', (response, status) => {
    expect(statusOf(response)).toBe(status);
  });
});
