import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { apiGatewayV2Event, lambdaContext } from 'middy-idempotency/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { intentOf, type KeyStorage, post } from '../../examples/client/client.ts';

/** What happens to the next requests: the answer is lost, or the handler answers with a status. */
let script: ('lost' | number)[];
let charges: number[];
let keys: string[];
let url: string;
/** A handler waits for it. */
let gate: Promise<void>;

const server = createServer((request, response) => void serve(request, response));
let handler: (event: APIGatewayProxyEventV2, context: ReturnType<typeof lambdaContext>) => Promise<unknown>;

beforeEach(async () => {
  script = [];
  charges = [];
  keys = [];
  gate = Promise.resolve();
  handler = middy<APIGatewayProxyEventV2>()
    .use(httpIdempotency({ store: memoryStore(), operation: 'pay', scope: 'anonymous' }))
    .handler(async ({ body }) => {
      await gate;
      if (typeof script[0] === 'number') return { statusCode: Number(script.shift()), headers: { 'retry-after': '0' } };
      charges.push(JSON.parse(body ?? '').amount);
      return { statusCode: 201, body: JSON.stringify({ charge: charges.length }) };
    });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/payments`;
});

afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const key = String(request.headers['idempotency-key']);
  keys.push(key);
  const headers = { 'idempotency-key': key, 'content-type': 'application/json' };
  const event = apiGatewayV2Event({ path: '/payments', headers, body: await text(request) });
  const answer = (await handler(event, lambdaContext())) as APIGatewayProxyStructuredResultV2;
  if (script[0] === 'lost') {
    script.shift();
    request.socket.destroy();
    return;
  }
  response.writeHead(answer.statusCode ?? 200, answer.headers as Record<string, string>).end(answer.body);
}

/** As a browser keeps it over reloads of the page. */
function storage(): KeyStorage {
  const items = new Map<string, string>();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name),
  };
}

it('charges once when the answer is lost, and gives the answer of the first request', async () => {
  script = ['lost'];
  const { key } = intentOf('checkout', storage());
  const response = await post(url, { amount: 10 }, { key });
  expect([response.status, await response.json(), charges]).toEqual([201, { charge: 1 }, [10]]);
  expect(response.headers.get('idempotent-replayed')).toBe('true');
  expect(keys).toEqual([key, key]);
});

it('goes on with the same key after a reload', async () => {
  const browser = storage();
  script = ['lost'];
  await expect(post(url, { amount: 10 }, { key: intentOf('checkout', browser).key, attempts: 1 })).rejects.toThrow(
    'with the same key',
  );
  const reloaded = intentOf('checkout', browser);
  expect((await post(url, { amount: 10 }, { key: reloaded.key })).status).toBe(201);
  expect(charges).toEqual([10]);
});

it('retries 429 and 503, and waits as long as Retry-After says', async () => {
  script = [503, 429];
  const response = await post(url, { amount: 10 }, { key: intentOf('checkout', storage()).key });
  expect([response.status, charges, keys.length]).toEqual([201, [10], 3]);
});

it('does not take the 409 of a running request for the answer', async () => {
  const { key } = intentOf('checkout', storage());
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const first = post(url, { amount: 10 }, { key });
  await vi.waitUntil(() => keys.length === 1);
  const refused = post(url, { amount: 10 }, { key, attempts: 1 });
  await expect(refused).rejects.toThrow('There is no answer yet');
  resolve();
  expect([(await first).status, (await post(url, { amount: 10 }, { key })).status, charges]).toEqual([201, 201, [10]]);
});

it.each([400, 402, 404])('takes a %i for the answer', async (status) => {
  script = [status];
  expect((await post(url, { amount: 10 }, { key: intentOf('checkout', storage()).key })).status).toBe(status);
  expect(keys.length).toBe(1);
});

it('does not hide that a key was used for another payload', async () => {
  const { key } = intentOf('checkout', storage());
  await post(url, { amount: 10 }, { key });
  expect((await post(url, { amount: 20 }, { key })).status).toBe(422);
});

it('has another key for the next intent, once the first is done', async () => {
  const browser = storage();
  const first = intentOf('checkout', browser);
  await post(url, { amount: 10 }, { key: first.key });
  first.done();
  await post(url, { amount: 10 }, { key: intentOf('checkout', browser).key });
  expect(charges).toEqual([10, 10]);
});

it('stops when its signal is aborted, and leaves the key', async () => {
  const browser = storage();
  const { key } = intentOf('checkout', browser);
  const stop = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const sent = post(url, { amount: 10 }, { key, signal: stop.signal });
  await vi.waitUntil(() => keys.length === 1);
  stop.abort(new Error('The user left'));
  await expect(sent).rejects.toThrow('The user left');
  resolve();
  expect(intentOf('checkout', browser).key).toBe(key);
});
