import { randomUUID } from 'node:crypto';
import middy from '@middy/core';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Gateway, openGateway } from '../../infra/local/server.ts';
import { createHttpIdempotency } from '../../src/http/index.ts';
import { freePort } from '../../tools/dynamodb-local.ts';
import { deferred, TestClock } from '../support/harness.ts';
import { localClient, useTable } from '../support/table.ts';

const table = useTable();
const clock = new TestClock();
const handler = vi.fn<() => Promise<unknown>>();
let gateway: Gateway;
let options: object = {};

beforeAll(async () => {
  gateway = await openGateway({ port: 0, functionName: 'http', timeoutMillis: 30_000, log: () => undefined });
  gateway.invoke((event, context) => {
    const all = { store: dynamoDBStore(table), operation: 'http', scope: 'anonymous', ...options };
    const middleware = createHttpIdempotency(all as never, clock) as unknown as { after: () => unknown };
    const guarded = middy().use(middleware);
    return guarded.handler(handler as never)(event, context as never) as Promise<unknown>;
  });
});
afterAll(() => gateway.close());
beforeEach(() => {
  options = {};
  handler.mockReset();
  handler.mockImplementation(async () => ({
    statusCode: 201,
    headers: { 'content-type': 'application/json', 'set-cookie': 'session=1' },
    body: JSON.stringify({ id: randomUUID() }),
  }));
});

/** The next execution tells that it has started, and waits. */
function holdNext() {
  const started = deferred();
  const gate = deferred();
  handler.mockImplementationOnce(async () => {
    started.resolve();
    await gate.promise;
    return { statusCode: 201 };
  });
  return { started, gate };
}

/** With the HTTP client that comes with Node. */
async function call(key: string | undefined, init: RequestInit & { path?: string } = {}) {
  const { path = '/payments', headers, ...rest } = init;
  const response = await fetch(gateway.origin + path, {
    method: 'POST',
    body: '{"amount":1}',
    ...rest,
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }), ...headers },
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

const problemOf = ({ status, headers, body }: Awaited<ReturnType<typeof call>>) => {
  expect(headers.get('content-type')).toBe('application/problem+json');
  const { type, status: told } = JSON.parse(body);
  expect(told).toBe(status);
  return `${status} ${type.split(':').at(-1)}`;
};

describe('over HTTP', () => {
  it('a safe method, and one that is not guarded, is the handler, every time', async () => {
    for (const method of ['GET', 'PUT', 'GET', 'PUT'])
      await call('k', { method, body: method === 'PUT' ? '{}' : null });
    expect(handler).toHaveBeenCalledTimes(4);
  });

  it('a missing key is 400', async () => {
    expect(problemOf(await call(undefined))).toBe('400 key-missing');
    expect(handler).not.toHaveBeenCalled();
  });

  it.each(['""', 'a,b', 'k'.repeat(256), '"half'])('a malformed key is 400: %s', async (key) => {
    expect(problemOf(await call(key))).toBe('400 key-invalid');
    expect(handler).not.toHaveBeenCalled();
  });

  it('a retry gets identical bytes, marked, without cookies; a quoted key is the same', async () => {
    const key = randomUUID();
    const first = await call(key);
    const retry = await call(`"${key}"`);
    expect(first.headers.get('set-cookie')).toBe('session=1');
    expect(retry).toMatchObject({ status: 201, body: first.body });
    expect(retry.headers.get('idempotent-replayed')).toBe('true');
    expect(retry.headers.get('set-cookie')).toBeNull();
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['payload', { body: '{"amount":2}' }],
    ['method', { method: 'PATCH' }],
    ['path', { path: '/refunds' }],
    ['query', { path: '/payments?capture=false' }],
  ])('the same key with another %s is 422', async (_, changes) => {
    const key = randomUUID();
    await call(key);
    expect(problemOf(await call(key, changes))).toBe('422 key-reused');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('a concurrent request is 409 with Retry-After', async () => {
    const { started, gate } = holdNext();
    const key = randomUUID();
    const first = call(key);
    await started.promise;
    const second = await call(key);
    expect(problemOf(second)).toBe('409 in-flight');
    expect(Number(second.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(second.headers.get('cache-control')).toBe('no-store');
    gate.resolve();
    expect((await first).status).toBe(201);
  });

  it.each([400, 404])('a %s is stored', async (statusCode) => {
    handler.mockImplementation(async () => ({ statusCode }));
    const key = randomUUID();
    await call(key);
    expect((await call(key)).headers.get('idempotent-replayed')).toBe('true');
  });

  it.each([429, 500, 503])('a %s is released', async (statusCode) => {
    handler.mockImplementationOnce(async () => ({ statusCode }));
    const key = randomUUID();
    expect((await call(key)).status).toBe(statusCode);
    expect((await call(key)).status).toBe(201);
  });

  it('an error of the handler is the gateway 500 that it would be, and released', async () => {
    handler.mockRejectedValueOnce(new Error('bug'));
    const key = randomUUID();
    expect((await call(key)).status).toBe(500);
    expect((await call(key)).status).toBe(201);
  });

  it('a store that cannot be reached is 503 with Retry-After, and the handler is not run', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    options = { store: dynamoDBStore({ ...table, client: localClient({ endpoint, maxAttempts: 1 }) }) };
    const response = await call('k');
    expect(problemOf(response)).toBe('503 store-unavailable');
    expect(response.headers.get('retry-after')).toBe('1');
    expect(handler).not.toHaveBeenCalled();
  });

  it('an unknown outcome is 409', async () => {
    options = { onExpiredLease: 'throw' };
    const { started, gate } = holdNext();
    const key = randomUUID();
    const first = call(key);
    await started.promise;
    clock.advance(60_000);
    expect(problemOf(await call(key))).toBe('409 outcome-unknown');
    gate.resolve();
    await first;
    expect(handler).toHaveBeenCalledTimes(1);
  });
});
