import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import middy from '@middy/core';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { type Shape, useApi } from '../support/http-harness.ts';

const harness = useApi();
const [v1, v2, functionUrl, alb, albMultiple] = SHAPES as [Shape, Shape, Shape, Shape, Shape];

/** The first answer and its replay. */
async function twice(shape: Shape, response: unknown, options: object = {}) {
  const handler = vi.fn(async () => response);
  const call = harness.api({ shape, handler, options });
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  const answers = [await call(request), await call(request)] as const;
  expect(handler).toHaveBeenCalledTimes(1);
  return answers;
}

describe.each([v2, functionUrl])('format 2.0 behind $name', (shape) => {
  it.each<[string, unknown]>([
    ['an object', { id: 'p1', amount: 1 }],
    ['a string', '{"id":"p1"}'],
    ['a list', [1, 2]],
    ['a number', 7],
    ['null', null],
  ])('replays a bare value, %s, as the 200 that the gateway makes of it', async (_, value) => {
    const [first, retry] = await twice(shape, value);
    expect(retry).toEqual({ ...first, headers: { ...first.headers, 'idempotent-replayed': 'true' } });
  });

  it('drops cookies like Set-Cookie, unless they are to be kept', async () => {
    const response = { statusCode: 200, cookies: ['session=1'], headers: { 'set-cookie': 'a=1', etag: '"1"' } };
    const [, retry] = await twice(shape, response);
    expect(retry.headers).toEqual({ etag: '"1"', 'idempotent-replayed': 'true' });
    for (const dropHeaders of [['date'], []]) {
      const [, kept] = await twice(shape, response, { dropHeaders });
      expect(kept.headers['set-cookie']).toBe('session=1');
    }
  });
});

describe.each(SHAPES.slice(0, 4))('behind $name', (shape) => {
  it('replays a binary body', async () => {
    const response = {
      statusCode: 200,
      headers: { 'content-type': 'image/png' },
      body: 'iVBORw0KGgo=',
      isBase64Encoded: true,
    };
    const [first, retry] = await twice(shape, response);
    expect(retry.body).toBe(first.body);
    expect(retry.headers['content-type']).toBe('image/png');
  });

  it('replays a response without headers and body', async () => {
    const [, retry] = await twice(shape, { statusCode: 204 });
    expect(retry).toEqual({ statusCode: 204, headers: { 'idempotent-replayed': 'true' }, body: '' });
  });

  it('drops the headers that it is told to, in any case', async () => {
    const response = { statusCode: 200, headers: { 'X-Request-Cost': '7', Date: 'now' } };
    const [, retry] = await twice(shape, response, { dropHeaders: ['x-request-cost'] });
    expect(retry.headers).toEqual({ date: 'now', 'idempotent-replayed': 'true' });
  });

  it('repeats every header when it is told to drop none', async () => {
    const headers = { date: 'now', 'set-cookie': 'a=1', 'x-request-id': 'r' };
    const [first, retry] = await twice(shape, { statusCode: 200, headers }, { dropHeaders: [] });
    expect(retry).toEqual({ ...first, headers: { ...headers, 'idempotent-replayed': 'true' } });
  });

  it('keeps Set-Cookie out of the table', async () => {
    const response = { statusCode: 200, headers: { 'Set-Cookie': 'session=secret' } };
    await twice(shape, response);
    const { dynamoDBStore } = await import('middy-idempotency/dynamodb');
    const record = await dynamoDBStore(harness.table).read(harness.events[0]?.id ?? '');
    expect(JSON.stringify(record)).not.toContain('secret');
  });
});

it('answers an ALB in the kind of headers that it has sent', async () => {
  const list = { statusCode: 200, multiValueHeaders: { vary: ['a', 'b'], 'set-cookie': ['a=1'] } };
  const [, retry] = await twice(albMultiple, list);
  expect(retry.headers).toEqual({ vary: 'a, b', 'idempotent-replayed': 'true' });
  const [, single] = await twice(alb, { statusCode: 200, headers: { vary: 'a' } });
  expect(single.headers).toEqual({ vary: 'a', 'idempotent-replayed': 'true' });
});

it('folds single headers into lists where an ALB reads only these', async () => {
  const [, retry] = await twice(albMultiple, { statusCode: 200, multiValueHeaders: { vary: ['a'] }, body: '' });
  expect(retry.headers).toEqual({ vary: 'a', 'idempotent-replayed': 'true' });
});

it("replaces the handler's own mark, in any case", async () => {
  const [first, retry] = await twice(v2, { statusCode: 200, headers: { 'idempotent-replayed': 'false' } });
  expect(first.headers['idempotent-replayed']).toBe('false');
  expect(retry.headers).toEqual({ 'idempotent-replayed': 'true' });
});

it.each([v1, albMultiple])(
  "replaces the handler's own mark in lists of headers, in any case, behind $name",
  async (shape) => {
    for (const name of ['idempotent-replayed', 'Idempotent-Replayed']) {
      const [first, retry] = await twice(shape, {
        statusCode: 200,
        multiValueHeaders: { [name]: ['false'], etag: ['"1"'] },
      });
      expect(first.headers['idempotent-replayed']).toBe('false');
      expect(retry.headers).toEqual({ etag: '"1"', 'idempotent-replayed': 'true' });
    }
  },
);

it('stores what is sent of a response that speaks for itself', async () => {
  class Created {
    readonly #body: string;
    readonly internal = 'not for the table';
    constructor(body: string) {
      this.#body = body;
    }
    toJSON() {
      return { statusCode: 201, headers: { etag: '"1"', date: 'now' }, body: this.#body };
    }
  }
  const [first, retry] = await twice(v2, new Created('x'));
  expect(first).toEqual({ statusCode: 201, headers: { etag: '"1"', date: 'now' }, body: 'x' });
  expect(retry).toEqual({ statusCode: 201, headers: { etag: '"1"', 'idempotent-replayed': 'true' }, body: 'x' });
});

it('judges the status that is sent, too', async () => {
  const handler = vi.fn(async () => ({ toJSON: () => ({ statusCode: 500 }) }));
  const call = harness.api({ handler });
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  await call(request);
  await call(request);
  expect(handler).toHaveBeenCalledTimes(2);
});

it('keeps multi-value headers of a REST API', async () => {
  const [, retry] = await twice(v1, { statusCode: 200, multiValueHeaders: { vary: ['a', 'b'], date: ['now'] } });
  expect(retry.headers).toEqual({ vary: 'a, b', 'idempotent-replayed': 'true' });
});

it('tells a retry when the response could not be stored', async () => {
  const handler = vi.fn(async () => ({ statusCode: 200, body: 'x'.repeat(17_000_000) }));
  const call = harness.api({ handler });
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  await call(request);
  const retry = await call(request);
  expect(retry.statusCode).toBe(409);
  expect(JSON.parse(retry.body).type).toBe('urn:middy-idempotency:problem:response-not-replayable');
  expect(handler).toHaveBeenCalledTimes(1);
});

it.each<[string, () => unknown]>([
  ['a stream', () => Readable.from(['x'])],
  ['a web stream', () => new ReadableStream()],
  ['a response with a stream', () => ({ statusCode: 200, body: Readable.from(['x']) })],
  [
    'an instance with a stream',
    () =>
      new (class Answer {
        readonly statusCode = 200;
        readonly body = Readable.from(['x']);
      })(),
  ],
  ['a generator', () => (function* () {})()],
  ['what cannot say what it is', () => ({ statusCode: 200, body: 'x', toJSON: () => 1n })],
])('never stores the inner state of %s: a retry is told', async (_, respond) => {
  const handler = vi.fn(async () => respond());
  const chain = middy();
  chain.use(httpIdempotency({ store: memoryStore(), operation: 'test', scope: 'anonymous' }) as never);
  const lambda = chain.handler(handler as never);
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  const call = () => lambda(v2.event(request) as never, {} as never);
  await call();
  const retry = v2.read(await call());
  expect(JSON.parse(retry.body).type).toBe('urn:middy-idempotency:problem:response-not-replayable');
  expect(handler).toHaveBeenCalledTimes(1);
});

it.each<[string, object]>([
  [
    'their own',
    {
      'set-cookie': 'session=1',
      etag: '"1"',
      toJSON() {
        return { 'set-cookie': 'session=1', etag: '"1"' };
      },
    },
  ],
  [
    'their class',
    new (class Headers {
      toJSON() {
        return { 'Set-Cookie': 'session=1', etag: '"1"' };
      }
    })(),
  ],
])('headers that speak for themselves by a toJSON of %s are replayed, without what is not', async (_, headers) => {
  const call = harness.api({ handler: async () => ({ statusCode: 201, headers, body: 'x' }) });
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  await call(request);
  const retry = await call(request);
  expect(retry.headers).toEqual({ etag: '"1"', 'idempotent-replayed': 'true' });
});

it('rethrows a stored error to a retry, and an error of what is not guarded as it is', async () => {
  const handler = vi.fn(async () => {
    throw Object.assign(new Error('card declined'), { statusCode: 402 });
  });
  const call = harness.api({ handler, options: { settle: () => 'store' } });
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  const declined = { message: 'card declined', statusCode: 402 };
  await expect(call(request)).rejects.toMatchObject(declined);
  await expect(call(request)).rejects.toMatchObject(declined);
  expect(handler).toHaveBeenCalledTimes(1);
  await expect(call({ ...request, method: 'GET' })).rejects.toMatchObject(declined);
  expect(handler).toHaveBeenCalledTimes(2);
});

it('answers an execution that was overtaken with the outcome of its successor, marked as a replay', async () => {
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  const options = { leaseMillis: 1000, timeoutEarlyInMillis: 0 };
  const slow = harness.api({
    options,
    handler: async () => {
      harness.clock.advance(3000);
      await harness.api({ options, handler: async () => ({ statusCode: 201, body: 'second' }) })(request);
      return { statusCode: 201, body: 'first' };
    },
  });
  expect(await slow(request)).toMatchObject({ body: 'second', headers: { 'idempotent-replayed': 'true' } });
});

it.each([
  ['at the end of the chain', []],
  ['when an after hook ends it early', [{ after: async () => ({ statusCode: 201, body: 'early' }) }]],
])('answers an execution that was overtaken, and whose successor is running, with a problem: %s', async (_, behind) => {
  const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
  const options = { leaseMillis: 1000, timeoutEarlyInMillis: 0 };
  const slow = harness.api({
    options,
    behind,
    handler: async () => {
      harness.clock.advance(3000);
      const started = new Promise<void>((resolve) => {
        void harness.api({
          options,
          handler: () => {
            resolve();
            return new Promise(() => undefined);
          },
        })(request);
      });
      await started;
      return { statusCode: 201, body: 'first' };
    },
  });
  const answer = await slow(request);
  expect(answer.statusCode).toBe(409);
  expect(JSON.parse(answer.body).type).toBe('urn:middy-idempotency:problem:lease-lost');
  expect(answer.headers['retry-after']).toBe('1'); // a client that follows it gets the successor's outcome
});
