import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { useGateway } from './gateway.ts';

const open = useGateway();

async function answerTo(result: unknown) {
  const { send } = await open(async () => result);
  const response = await send('/');
  const { date, connection, 'keep-alive': keepAlive, ...headers } = response.headers;
  return { statusCode: response.statusCode, headers, body: await text(response) };
}

const JSON_TYPE = { 'content-type': 'application/json' };

it('answers with what the function returned', async () => {
  const result = { statusCode: 201, headers: { 'X-Number': 1 }, cookies: ['a=1', 'b=2'], body: 'ä' };
  expect(await answerTo(result)).toEqual({
    statusCode: 201,
    headers: {
      'content-type': 'text/plain;charset=UTF-8',
      'content-length': '2',
      'x-number': '1',
      'set-cookie': ['a=1', 'b=2'],
    },
    body: 'ä',
  });
});

it('decodes what the function has encoded', async () => {
  expect(await answerTo({ statusCode: 200, body: 'w6Q=', isBase64Encoded: true })).toMatchObject({ body: 'ä' });
});

it.each([
  [{ message: 'hello' }, '{"message":"hello"}'],
  ['hello', 'hello'],
  [undefined, 'null'],
  [[1], '[1]'],
])('answers with a 200 of JSON where the function returned only a value: %j', async (result, body) => {
  expect(await answerTo(result)).toMatchObject({ statusCode: 200, headers: JSON_TYPE, body });
});

it.each([
  [{ statusCode: 'created' }],
  [{ statusCode: 99 }],
  [{ statusCode: 200, body: { not: 'a string' } }],
  [{ statusCode: 200, headers: { 'x-name': 'line\nbreak' } }],
  [{ value: 1n }],
])('answers with a 500 of the gateway where the function returned nonsense: %o', async (result) => {
  const answer = await answerTo(result);
  expect(answer).toMatchObject({ statusCode: 500, headers: JSON_TYPE, body: '{"message":"Internal Server Error"}' });
});

it('answers with a 500 of the gateway where the function threw, and the log has the error', async () => {
  const { send, log } = await open(async () => {
    throw new Error('the function is broken');
  });
  const response = await send('/path');
  expect(response.statusCode).toBe(500);
  expect(await text(response)).toBe('{"message":"Internal Server Error"}');
  expect(log).toEqual([
    expect.stringContaining('the function is broken'),
    expect.stringMatching(/^GET \/path 500 \d+ ms$/),
  ]);
});

it('answers with a 503 of the gateway when the time of the function is over', async () => {
  const remaining: number[] = [];
  const { send } = await open(
    (_, context) => {
      remaining.push(context.getRemainingTimeInMillis());
      return new Promise(() => undefined);
    },
    { timeoutMillis: 40 },
  );
  const response = await send('/');
  expect(response.statusCode).toBe(503);
  expect(await text(response)).toBe('{"message":"Service Unavailable"}');
  expect(remaining[0]).toBeGreaterThan(0);
  expect(remaining[0]).toBeLessThanOrEqual(40);
});

it('answers with a 503 of the gateway before there is a function', async () => {
  const { send } = await open(undefined);
  const response = await send('/');
  expect(response.statusCode).toBe(503);
  response.resume();
});

it.each([
  ['declared', { 'content-length': 10 * 1024 * 1024 + 1 }],
  ['streamed', { 'transfer-encoding': 'chunked' }],
])('answers with a 413 of the gateway for a body above 10 MB: %s', async (_, headers) => {
  const { send } = await open(async () => 'invoked');
  const response = await send('/', { method: 'POST', headers }, Buffer.alloc(10 * 1024 * 1024 + 1));
  expect(response.statusCode).toBe(413);
  expect(await text(response)).toBe('{"message":"Request Entity Too Large"}');
});

it('outlives a client that goes away in the middle of its request', async () => {
  const { origin, send } = await open(async () => 'still here');
  const sent = request(`${origin}/`, { method: 'POST', headers: { 'content-length': 10 } });
  const failed = once(sent, 'error').catch(() => undefined);
  sent.write('12345', () => sent.destroy(new Error('gone')));
  await failed;
  expect(await text(await send('/'))).toBe('still here');
});

it.each([204, 304])('sends no content, and nothing about it, with %s', async (statusCode) => {
  const { send } = await open(async () => ({ statusCode, headers: { etag: '"v1"' }, body: 'ignored' }));
  const response = await send('/');
  expect(response.statusCode).toBe(statusCode);
  expect(response.headers).toMatchObject({ etag: '"v1"' });
  expect(Object.keys(response.headers)).not.toEqual(expect.arrayContaining(['content-length']));
  expect(Object.keys(response.headers)).not.toEqual(expect.arrayContaining(['content-type']));
  expect(await text(response)).toBe('');
});
