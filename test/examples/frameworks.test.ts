import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { memoryStore } from 'middy-idempotency/memory';
import { apiGatewayV2Event, lambdaContext } from 'middy-idempotency/testing';
import { describe, expect, it, vi } from 'vitest';
import { expressByServerlessExpress } from '../../examples/express/with-serverless-express.ts';
import { expressByServerlessHttp } from '../../examples/express/with-serverless-http.ts';
import { honoElsewhere } from '../../examples/hono/elsewhere.ts';
import { type IdempotencyVariables, idempotent } from '../../examples/hono/idempotent.ts';
import { honoOnLambda } from '../../examples/hono/lambda.ts';
import { deferred } from '../support/harness.ts';

const ORIGIN = 'https://shop.example.com';
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}/;

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const lowerCase = (headers: object) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));

const charging = () => vi.fn(async (amount: number, _key: string | undefined) => `ch_${amount}_${Math.random()}`);

describe.each([
  ['Hono, by hono/aws-lambda', honoOnLambda],
  ['Express, by serverless-http', expressByServerlessHttp],
  ['Express, by @codegenie/serverless-express', expressByServerlessExpress],
])('%s: the guard is around the app', (_, make) => {
  const authorizer = { jwt: { claims: { iss: 'https://issuer.example', sub: 'ann' } } };
  const api = (charge = charging()) => {
    const lambda = make(memoryStore(), charge) as unknown as (event: object, context: object) => Promise<Answer>;
    const call = async (method: string, key?: string, body?: object) => {
      const headers = { origin: ORIGIN, ...(key !== undefined && { 'idempotency-key': key }) };
      const request = { method, path: '/payments', headers, authorizer, ...(body && { body }) };
      const answer = await lambda(apiGatewayV2Event(request), lambdaContext());
      return { ...answer, headers: lowerCase(answer.headers) };
    };
    return { charge, call };
  };

  it('executes once, with a derived key, and replays', async () => {
    const { charge, call } = api();
    const first = await call('POST', 'k-1', { amount: 10 });
    const replay = await call('POST', 'k-1', { amount: 10 });
    expect(first).toMatchObject({ statusCode: 201, headers: { 'access-control-allow-origin': ORIGIN } });
    expect(replay.body).toBe(first.body);
    expect(replay.headers).toMatchObject({ 'idempotent-replayed': 'true', 'access-control-allow-origin': ORIGIN });
    expect(charge).toHaveBeenCalledExactlyOnceWith(10, expect.stringMatching(UUID));
  });

  it('answers with problems that a browser can read, and executes a retry after a 500', async () => {
    const { charge, call } = api();
    charge.mockRejectedValueOnce(new Error('the processor is down'));
    vi.spyOn(console, 'error').mockReturnValue();
    expect((await call('POST', 'k-1', { amount: 10 })).statusCode).toBe(500);
    expect((await call('POST', 'k-1', { amount: 10 })).statusCode).toBe(201);
    const reused = await call('POST', 'k-1', { amount: 11 });
    expect(reused).toMatchObject({ statusCode: 422, headers: { 'access-control-allow-origin': ORIGIN } });
    expect((await call('POST', undefined, { amount: 10 })).statusCode).toBe(400);
    vi.restoreAllMocks();
  });

  it('lets a preflight pass', async () => {
    const { call } = api();
    const { statusCode, headers } = await call('OPTIONS');
    expect(statusCode).toBe(204);
    expect(headers['access-control-allow-headers']).toMatch(/Idempotency-Key/i);
  });
});

describe('Hono elsewhere: the guard is a middleware', () => {
  const users: Readonly<Record<string, string>> = { 'Bearer a': 'ann', 'Bearer b': 'bob' };
  const server = (charge = charging()) => {
    const app = honoElsewhere(memoryStore(), async (authorization) => users[authorization], charge);
    const call = (token: string, key = 'k-1', amount = 10) =>
      app.request('/payments', {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          origin: ORIGIN,
          'idempotency-key': key,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ amount }),
      });
    return { app, charge, call };
  };

  it('executes once for each caller, with a derived key, and replays', async () => {
    const { charge, call } = server();
    const first = await call('a');
    const replay = await call('a');
    expect([first.status, replay.status]).toEqual([201, 201]);
    expect(await replay.text()).toBe(await first.text());
    expect(Object.fromEntries(replay.headers)).toMatchObject({
      'content-type': 'application/json',
      'idempotent-replayed': 'true',
      'access-control-allow-origin': ORIGIN,
    });
    await call('b');
    expect(charge).toHaveBeenCalledTimes(2);
    expect(charge).toHaveBeenCalledWith(10, expect.stringMatching(UUID));
  });

  it('answers with problems that a browser can read, behind authentication', async () => {
    const { charge, call } = server();
    const started = deferred();
    const gate = deferred<string>();
    charge.mockImplementationOnce(async () => {
      started.resolve();
      return gate.promise;
    });
    const first = call('a');
    await started.promise;
    const second = await call('a');
    expect(second.status).toBe(409);
    expect(Object.fromEntries(second.headers)).toMatchObject({
      'content-type': 'application/problem+json',
      'access-control-allow-origin': ORIGIN,
      'retry-after': '1',
    });
    expect((await call('stranger')).status).toBe(401);
    gate.resolve('ch_1');
    expect(await (await first).json()).toEqual({ id: 'ch_1' });
    expect((await call('a', 'k-1', 11)).status).toBe(422);
  });

  it('executes a retry after an error', async () => {
    const { charge, call } = server();
    charge.mockRejectedValueOnce(new Error('the processor is down'));
    vi.spyOn(console, 'error').mockReturnValue();
    expect((await call('a')).status).toBe(500);
    expect((await call('a')).status).toBe(201);
    expect(charge).toHaveBeenCalledTimes(2);
    vi.restoreAllMocks();
  });

  it('gives a late execution the response of its successor, with no header of its own', async () => {
    const app = new Hono<{ Variables: IdempotencyVariables }>();
    const started = deferred();
    const gate = deferred();
    app.use(idempotent({ store: memoryStore(), operation: 'pay', scope: 'anonymous', warnings: false }));
    app.post('/', async (c) => {
      const { attempt } = c.get('idempotency') ?? {};
      if (attempt !== 1) return c.text('second', 201, { location: '/2' });
      started.resolve();
      await gate.promise;
      return c.text('first', 201, { location: '/1', 'content-encoding': 'identity' });
    });
    const call = () => app.request('/', { method: 'POST', headers: { 'idempotency-key': 'k-1' } });
    const late = call();
    await started.promise;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 62_000 });
    await call();
    vi.useRealTimers();
    gate.resolve();
    const response = await late;
    expect(await response.text()).toBe('second');
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-type': 'text/plain; charset=UTF-8',
      'idempotent-replayed': 'true',
      location: '/2',
    });
  });

  it('does the same behind a server of Node.js, over HTTP', async () => {
    const { app, charge } = server();
    const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
    try {
      await once(listening, 'listening');
      const { port } = listening.address() as AddressInfo;
      const call = async () => {
        const response = await fetch(`http://127.0.0.1:${port}/payments`, {
          method: 'POST',
          headers: { authorization: 'Bearer a', 'idempotency-key': 'k-1', 'content-type': 'application/json' },
          body: '{"amount":10}',
        });
        return {
          status: response.status,
          replayed: response.headers.get('idempotent-replayed'),
          body: await response.text(),
        };
      };
      const first = await call();
      expect(first).toMatchObject({ status: 201, replayed: null });
      expect(await call()).toEqual({ ...first, replayed: 'true' });
      expect(charge).toHaveBeenCalledOnce();
    } finally {
      listening.close();
    }
  });
});
