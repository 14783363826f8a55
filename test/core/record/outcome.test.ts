import { Readable } from 'node:stream';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import {
  decodeOutcome,
  encodeOutcome,
  jsonFormat,
  notReplayable,
  type Outcome,
  withinLimit,
} from '../../../src/core/record/outcome.ts';
import type { StoredOutcome } from '../../../src/core/record/record.ts';
import { IdempotencyError } from '../../../src/errors.ts';

const returned = (value: unknown): Outcome => ({ kind: 'returned', value });
const threw = (error: unknown): Outcome => ({ kind: 'threw', error });
const stored = (json: string): StoredOutcome => ({ type: 'THREW', json });
const thrownBy = (json: string): Record<string, unknown> => {
  const outcome = decodeOutcome(stored(json));
  if (outcome.kind !== 'threw') throw new Error('nothing was thrown');
  return outcome.error as Record<string, unknown>;
};

class Payment {
  toJSON() {
    return { id: 1 };
  }
}

describe('an outcome', () => {
  it.each([
    ['an object', { a: [1, null] }, '{"a":[1,null]}'],
    ['null', null, 'null'],
    ['a text', '', '""'],
    ['what speaks for itself', new Payment(), '{"id":1}'],
  ])('that is %s is stored as its JSON, and read as a fresh value', (_, value, json) => {
    const outcome = encodeOutcome(returned(value));
    expect(outcome).toEqual({ type: 'RETURNED', json });
    expect(decodeOutcome(outcome)).toEqual(returned(JSON.parse(json)));
    if (typeof value === 'object' && value !== null) {
      expect((decodeOutcome(outcome) as { value: unknown }).value).not.toBe(
        (decodeOutcome(outcome) as { value: unknown }).value,
      );
    }
  });

  it.each([() => 1, Symbol('x')])('thrown, that is %s, is not replayable', (error) => {
    const reason = 'it is a function or a symbol';
    expect(encodeOutcome({ kind: 'threw', error })).toEqual({ type: 'NOT_REPLAYABLE', reason });
  });

  it('thrown in another realm, that is an Error, keeps its name and message', () => {
    const error = runInNewContext("new RangeError('too far')");
    expect(error).not.toBeInstanceOf(Error);
    expect(encodeOutcome({ kind: 'threw', error })).toEqual(
      stored('{"error":{"name":"RangeError","message":"too far"}}'),
    );
  });

  it('that is nothing stays nothing', () => {
    expect(encodeOutcome(returned(undefined))).toEqual({ type: 'RETURNED' });
    expect(decodeOutcome({ type: 'RETURNED' })).toEqual(returned(undefined));
  });

  it.each<[string, unknown, string]>([
    ['a function', () => 1, 'it is a function or a symbol'],
    ['a symbol', Symbol('x'), 'it is a function or a symbol'],
    ['a BigInt', 1n, 'Do not know how to serialize a BigInt'],
    ['a stream', Readable.from(['x']), 'it is a stream'],
    ['a web stream', new ReadableStream(), 'it is a stream'],
    ['a generator', (function* () {})(), 'it is a stream'],
    ['an asynchronous generator', (async function* () {})(), 'it is a stream'],
    ['pages of a list', { [Symbol.asyncIterator]: () => undefined }, 'it is a stream'],
    ['a response whose body is a stream', { statusCode: 200, body: Readable.from(['x']) }, 'it is a stream'],
    [
      'what throws no Error',
      { toJSON: () => Promise.reject.call(undefined as never) },
      'PromiseReject called on non-object',
    ],
  ])('that is %s is done, and not replayable', (_, value, reason) => {
    expect(encodeOutcome(returned(value))).toEqual({ type: 'NOT_REPLAYABLE', reason: expect.stringContaining(reason) });
  });

  it('that throws something else than an Error when it is written is not replayable', () => {
    const value = {
      toJSON() {
        throw 'no Error';
      },
    };
    expect(encodeOutcome(returned(value))).toEqual({ type: 'NOT_REPLAYABLE', reason: 'it cannot be written as JSON' });
  });

  it.each<object>([
    { pipe: 1 },
    { getReader: 1 },
    { body: { pipe: 'x' } },
    { body: null },
    { next: 1 },
    [1],
    new Array(1),
  ])('that is no stream is stored: %j', (value) => {
    expect(encodeOutcome(returned(value))).toEqual({ type: 'RETURNED', json: JSON.stringify(value) });
  });

  it('may have as many bytes as the store takes, not one more', () => {
    expect(withinLimit(encodeOutcome(returned('ü')), 4)).toEqual({ type: 'RETURNED', json: '"ü"' });
    expect(withinLimit(encodeOutcome(returned('ü')), 3)).toEqual({
      type: 'NOT_REPLAYABLE',
      reason: "its 4 bytes exceed the store's limit of 3 bytes",
    });
  });

  it('has a reason that every store takes', () => {
    expect(notReplayable('x'.repeat(501))).toEqual({ type: 'NOT_REPLAYABLE', reason: 'x'.repeat(500) });
  });

  it('that is not replayable is told with its reason', () => {
    expect(() => decodeOutcome(notReplayable('it is a stream'))).toThrow(
      expect.objectContaining({
        code: 'RESPONSE_NOT_REPLAYABLE',
        message:
          'This request has been executed, and its response cannot be given again. Do not send it again: look up its result.',
        advice: 'There is no response to replay because it is a stream.',
      }),
    );
  });

  it('that cannot be read now is told by its error', () => {
    const error = new IdempotencyError('STORE_UNAVAILABLE', 'later');
    expect(() => decodeOutcome({ type: 'UNREADABLE', error })).toThrow(error);
  });

  it('that is no JSON is not replayable, and told with the reason', () => {
    const decode = () => decodeOutcome({ type: 'RETURNED', json: 'confidential' });
    expect(decode).toThrow(
      expect.objectContaining({
        code: 'RESPONSE_NOT_REPLAYABLE',
        advice: 'There is no response to replay because the outcome of the record is not JSON.',
      }),
    );
    expect(decode).not.toThrow(expect.objectContaining({ cause: expect.anything() }));
  });
});

describe('a thrown error', () => {
  it('is stored with what a caller may branch on, and nothing else', () => {
    const error = Object.assign(new RangeError('too much'), { statusCode: 402, expose: true, code: 'E', secret: 's' });
    expect(encodeOutcome(threw(error))).toEqual(
      stored('{"error":{"name":"RangeError","message":"too much","statusCode":402,"expose":true,"code":"E"}}'),
    );
    expect(encodeOutcome(threw(Object.assign(new Error('m'), { code: 7 })))).toEqual(
      stored('{"error":{"name":"Error","message":"m","code":7}}'),
    );
    const odd = Object.assign(new Error('m'), { statusCode: '402', expose: 1, code: {} });
    expect(encodeOutcome(threw(odd))).toEqual(stored('{"error":{"name":"Error","message":"m"}}'));
  });

  it('is revived as an Error with these members, its name hidden as that of every Error', () => {
    const error = thrownBy('{"error":{"name":"RangeError","message":"m","statusCode":402,"expose":true,"code":"E"}}');
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'RangeError', message: 'm', statusCode: 402, expose: true, code: 'E' });
    expect(Object.keys(error)).toEqual(['statusCode', 'expose', 'code']);
    error['name'] = 'Other';
    expect(String(error)).toBe('Other: m');
    expect(delete error['name']).toBe(true);
  });

  it.each([['a text'], [7], [null], [{ a: 1 }], [[1]]])('that is no Error is thrown again as it is: %j', (value) => {
    const outcome = encodeOutcome(threw(value));
    expect(decodeOutcome(outcome)).toEqual(threw(value));
  });

  it('that is undefined is thrown again', () => {
    expect(decodeOutcome(encodeOutcome(threw(undefined)))).toEqual(threw(undefined));
  });

  it.each(['null', '7', '"x"'])('that is not what this package writes is an Error that says so: %s', (json) => {
    expect(thrownBy(json)).toEqual(new Error('The stored error of this request cannot be read.'));
  });

  // Found by fuzzing: a record that was tampered with.
  it.each([
    ['a prototype', '{"error":{"name":"E","message":"m","__proto__":{"polluted":true}}}'],
    ['a stack', '{"error":{"name":"E","message":"m","stack":"forged","cause":"forged"}}'],
    ['members of another type', '{"error":{"name":"E","message":"m","statusCode":"402","expose":1,"code":null}}'],
  ])('brings no more with it than its name and message: %s', (_, json) => {
    const error = thrownBy(json);
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect(Object.keys(error)).toEqual([]);
    expect(error).toMatchObject({ name: 'E', message: 'm' });
    expect(error['stack']).not.toBe('forged');
    expect(error['cause']).toBeUndefined();
  });

  it.each(['{"error":{}}', '{"error":{"name":{"toString":1},"message":{"toString":1}}}'])(
    'without a name and a message is an Error without them: %s',
    (json) => {
      expect(thrownBy(json)).toMatchObject({ name: 'Error', message: '' });
    },
  );
});

describe('an outcome that is encoded once', () => {
  it('is stored as the first caller gets it, whatever happens to the original', () => {
    const value: { amount: number; at?: Date; self?: unknown } = { amount: 1, at: new Date(0) };
    const { stored, outcome } = jsonFormat.encode(returned(value));
    value.self = value;
    expect(outcome).toEqual(returned({ amount: 1, at: '1970-01-01T00:00:00.000Z' }));
    expect(stored).toEqual({ type: 'RETURNED', json: '{"amount":1,"at":"1970-01-01T00:00:00.000Z"}' });
  });

  it('asks a value for its JSON once', () => {
    let asked = 0;
    const encoded = jsonFormat.encode(returned({ toJSON: () => ++asked }));
    expect(encoded).toEqual({ stored: { type: 'RETURNED', json: '1' }, outcome: returned(1) });
    expect(asked).toBe(1);
  });

  it('may be undefined, which has no bytes', () => {
    const { stored, outcome } = jsonFormat.encode(returned(undefined));
    expect(outcome).toEqual(returned(undefined));
    expect(withinLimit(stored, 1)).toEqual({ type: 'RETURNED' });
  });

  it('stays the original where JSON refuses it', () => {
    const value: { self?: unknown } = {};
    value.self = value;
    const { stored, outcome } = jsonFormat.encode(returned(value));
    expect((outcome as { value: unknown }).value).toBe(value);
    expect(stored).toMatchObject({ type: 'NOT_REPLAYABLE' });
  });

  it('stays the original error', () => {
    const error = new Error('declined');
    expect((jsonFormat.encode(threw(error)).outcome as { error: unknown }).error).toBe(error);
  });
});
