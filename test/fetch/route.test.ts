import { randomUUID } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { IdempotencyError, type RecordStore } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { idempotentRoute, type RouteGuard, type RouteHandle, type RouteOptions } from 'middy-idempotency/fetch';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { createRoute } from '../../src/fetch/index.ts';
import { deferred, TestClock, thrownBy } from '../support/harness.ts';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { FETCH, type Shape, useApi } from '../support/http-harness.ts';

const options = { operation: 'pay', scope: 'anonymous' } as const;
const guardOf = (more: Partial<RouteOptions> = {}) => idempotentRoute({ store: memoryStore(), ...options, ...more });

const post = (body: string = '{"amount":10}', headers: Record<string, string> = {}) =>
  new Request('https://shop.example/payments?currency=EUR', {
    method: 'POST',
    headers: { 'idempotency-key': 'k-1', 'content-type': 'application/json', ...headers },
    body,
  });

/** Everything of a response that a client sees. */
const seen = async (response: Response) => ({
  status: response.status,
  headers: [...response.headers],
  bytes: Buffer.from(await response.arrayBuffer()).toString('latin1'),
});

describe('problems are byte for byte those of httpIdempotency', () => {
  const harness = useApi();
  const request = (key?: string, body = '{}'): TestRequest => ({
    body,
    headers: [
      ['Content-Type', 'application/json'],
      ...(key === undefined ? [] : ([['Idempotency-Key', key]] as const)),
    ],
  });
  const down = () => ({ ...dynamoDBStore(harness.table), insert: () => Promise.reject(new Error('no network')) });
  const settings = {
    describedBy: 'https://shop.example/idempotency',
    problemBaseUri: 'https://shop.example/problems/',
  };

  /** One of each, with its name. */
  async function problemsOf(shape: Shape): Promise<object> {
    const paid = async () => ({ statusCode: 201 });
    const api = (handler: () => Promise<unknown>, more: object = {}) =>
      harness.api({ shape, handler, options: { ...settings, ...more } });
    const crashed = async (more: object) => {
      const started = deferred();
      const key = randomUUID();
      const hang = () => {
        started.resolve();
        return new Promise<never>(() => undefined);
      };
      void api(hang, more)(request(key));
      await started.promise;
      return key;
    };
    const running = await crashed({});
    const unknown = await crashed({ onExpiredLease: 'throw', leaseMillis: 20_000 });
    harness.clock.advance(21_001);
    const used = randomUUID();
    await api(paid)(request(used));
    const answers = {
      'key-missing': await api(paid)(request()),
      'key-invalid': await api(paid)(request('a, b')),
      'key-reused': await api(paid)(request(used, '{"other":1}')),
      'scope-missing': await api(paid, { scope: () => undefined })(request('k')),
      'in-flight': await api(paid)(request(running)),
      'outcome-unknown': await api(paid, { onExpiredLease: 'throw' })(request(unknown)),
      'store-unavailable': await api(paid, { store: down() })(request('k')),
    };
    return Object.fromEntries(
      Object.entries(answers).map(([name, { body, headers, statusCode }]) => {
        expect(JSON.parse(body).type).toBe(`${settings.problemBaseUri}${name}`);
        // Only a Lambda invocation has an id.
        return [name, { statusCode, headers, body: body.replace(/,"instance":"[^"]*"/, '') }];
      }),
    );
  }

  it('with the same headers', async () => {
    expect(await problemsOf(FETCH)).toEqual(await problemsOf(SHAPES[1] as Shape));
  });
});

describe('a response is replayed as the first caller got it', () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);

  it.each<[string, () => Response]>([
    ['text', () => new Response('paid', { status: 201 })],
    ['JSON', () => Response.json({ id: randomUUID() })],
    ['text with a byte order mark', () => new Response('\ufeffpaid')],
    ['bytes that are no text', () => new Response(bytes, { headers: { 'content-type': 'application/octet-stream' } })],
    ['no body', () => new Response(null, { status: 204, headers: { etag: '"1"' } })],
    ['an empty body', () => new Response('')],
    ['no content type', () => new Response(bytes)],
    ['a redirect', () => Response.redirect('https://shop.example/payments/1', 303)],
    [
      'a stream of known length',
      () => new Response(new Blob(['a', 'b']).stream(), { headers: { 'content-length': '2' } }),
    ],
  ])('%s', async (_, make) => {
    const guard = guardOf({ dropHeaders: [] });
    const next = vi.fn(async () => make());
    const first = await seen(await guard(post(), next));
    const replay = await seen(await guard(post(), next));
    expect(next).toHaveBeenCalledOnce();
    const unguarded = await seen(make());
    expect({ ...first, bytes: first.bytes.length }).toEqual({ ...unguarded, bytes: unguarded.bytes.length });
    expect(replay.headers).toContainEqual(['idempotent-replayed', 'true']);
    const headers = replay.headers.filter(([name]) => name !== 'idempotent-replayed');
    expect({ ...replay, headers }).toEqual(first);
  });

  it('several cookies, each by itself, and none of them again unless it is asked for', async () => {
    const next = async () => {
      const headers = new Headers({ 'content-type': 'text/plain' });
      for (const cookie of ['a=1; Expires=Wed, 09 Jun 2038 10:18:14 GMT', 'b=2']) headers.append('set-cookie', cookie);
      return new Response('paid', { headers });
    };
    const cookies = async (guard: RouteGuard) => [
      (await guard(post(), next)).headers.getSetCookie(),
      (await guard(post(), next)).headers.getSetCookie(),
    ];
    const both = ['a=1; Expires=Wed, 09 Jun 2038 10:18:14 GMT', 'b=2'];
    expect(await cookies(guardOf())).toEqual([both, []]);
    expect(await cookies(guardOf({ dropHeaders: [] }))).toEqual([both, both]);
  });

  it('decoded, where this client does not accept the coding of the first', async () => {
    const guard = guardOf();
    const next = async () => new Response(gzipSync('paid'), { headers: { 'content-encoding': 'gzip' } });
    await guard(post(undefined, { 'accept-encoding': 'gzip' }), next);
    const replay = await guard(post(undefined, { 'accept-encoding': 'br' }), next);
    expect(replay.headers.has('content-encoding')).toBe(false);
    expect(await replay.text()).toBe('paid');
  });
});

describe('a response that is streamed', () => {
  const endless = (headers: Record<string, string>) => {
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode('data: 1\n\n')),
    });
    return new Response(body, { status: 201, headers });
  };

  it.each([
    ['text/event-stream', { 'content-type': 'text/event-stream; charset=utf-8' }],
    ['Transfer-Encoding', { 'transfer-encoding': 'chunked' }],
  ])('reaches the first caller at once, and is done: a retry is told so (%s)', async (_, headers) => {
    const guard = guardOf();
    const next = vi.fn(async () => endless(headers));
    const first = await guard(post(), next);
    expect(first.status).toBe(201);
    const reader = (first.body as ReadableStream<Uint8Array>).getReader();
    expect(Buffer.from((await reader.read()).value as Uint8Array).toString()).toBe('data: 1\n\n');
    await reader.cancel();
    const retry = await guard(post(), next);
    expect(await retry.json()).toMatchObject({
      status: 409,
      type: 'urn:middy-idempotency:problem:response-not-replayable',
    });
    expect(next).toHaveBeenCalledOnce();
  });

  it('and breaks off is done, too', async () => {
    const guard = guardOf();
    const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) });
    const next = vi.fn(async () => new Response(broken, { status: 201 }));
    const first = await guard(post(), next);
    expect(await thrownBy(first.text())).toMatchObject({ message: 'broken' });
    expect((await guard(post(), next)).status).toBe(409);
    expect(next).toHaveBeenCalledOnce();
  });
});

describe('the body of a request', () => {
  it('is there for the route, and is compared by its meaning', async () => {
    const guard = guardOf();
    const bodies: unknown[] = [];
    const call = async (body: string) => {
      const request = post(body);
      return guard(request, async () => {
        bodies.push(await request.json());
        return new Response('paid');
      });
    };
    await call('{"a":1,"b":2}');
    expect((await call('{ "b": 2, "a": 1 }')).headers.get('idempotent-replayed')).toBe('true');
    expect((await call('{"a":1,"b":3}')).status).toBe(422);
    expect(bodies).toEqual([{ a: 1, b: 2 }]);
  });

  it('that other code has read is refused, with advice, and nothing is executed', async () => {
    const request = post();
    await request.text();
    const next = vi.fn();
    expect(await thrownBy(guardOf()(request, next))).toMatchObject({
      message: expect.stringMatching(/Put the guard in front/),
    });
    expect(next).not.toHaveBeenCalled();
  });

  it('is not read where there is no key', async () => {
    const request = new Request('https://shop.example/payments', { method: 'POST', body: 'a' });
    await request.text();
    expect((await guardOf()(request, vi.fn())).status).toBe(400);
    const next = async () => new Response('unguarded');
    expect(await (await guardOf({ required: false })(request, next)).text()).toBe('unguarded');
  });

  it('is not read where the fingerprint is a function', async () => {
    const guard = guardOf({ fingerprint: (request) => request.headers.get('x-content-sha256') });
    const request = post('a', { 'x-content-sha256': 'a' });
    await request.text();
    const next = async () => new Response('paid');
    await guard(request, next);
    expect((await guard(post('b', { 'x-content-sha256': 'b' }), next)).status).toBe(422);
  });
});

it('a method is guarded in any case, although `Request` leaves some as they are', async () => {
  const next = vi.fn(async () => new Response('paid'));
  const guard = guardOf();
  for (const method of ['PATCH', 'patch']) {
    await guard(
      new Request('https://shop.example/', { method, headers: { 'idempotency-key': 'k-1' }, body: '{}' }),
      next,
    );
  }
  expect(next).toHaveBeenCalledOnce();
});

describe('further arguments', () => {
  interface Session {
    readonly user?: string;
  }
  const guard = idempotentRoute<[Session]>({
    store: memoryStore(),
    operation: 'pay',
    scope: (_request, { user }) => user,
  });

  it('say who is calling', async () => {
    const next = vi.fn(async () => new Response('paid'));
    for (const user of ['ann', 'bob', 'ann']) await guard(post(), next, { user });
    expect(next).toHaveBeenCalledTimes(2);
    expect((await guard(post(), next, {})).status).toBe(500);
  });

  it('are typed, and so is the handle', () => {
    expectTypeOf(guard).parameter(2).toEqualTypeOf<Session>();
    expectTypeOf(guardOf()).toExtend<(request: Request, next: () => Promise<Response>) => Promise<Response>>();
  });
});

describe('the handle', () => {
  it('is that of the execution: its key, its lease, its steps, and a response that is stored early', async () => {
    const store = memoryStore();
    const guard = guardOf({ store });
    let handle: RouteHandle | undefined;
    const next = async (given: RouteHandle | undefined) => {
      handle = given;
      expect(given?.leaseUntil).toBeGreaterThan(Date.now());
      expect(given?.signal.aborted).toBe(false);
      await given?.step('charge', () => 1);
      const response = Response.json({ key: given?.deriveKey('charge') }, { status: 201 });
      await given?.complete(response);
      return response;
    };
    const first = await (await guard(post(), next)).text();
    const { deriveKey } = handle as RouteHandle;
    expect(JSON.parse(first)).toEqual({ key: deriveKey('charge') });
    expect(await (await guard(post(), next)).text()).toBe(first);
    expect(await store.read(handle?.id ?? '')).toMatchObject({ attempt: 1, status: 'COMPLETED' });
  });

  it('writes effect and response in one transaction', async () => {
    const rows: string[] = [];
    const store = memoryStore<string>({ apply: (items) => void rows.push(...items) });
    const guard = idempotentRoute<[], string>({ store, ...options });
    const next = async (handle: RouteHandle<string> | undefined) => {
      const response = new Response('paid', { status: 201 });
      await handle?.transact(['charge'], response);
      throw new Error('the mail could not be sent');
    };
    expect(await thrownBy(guard(post(), next))).toMatchObject({ message: 'the mail could not be sent' });
    expect(await (await guard(post(), next)).text()).toBe('paid');
    expect(rows).toEqual(['charge']);
  });
});

describe('the outcome', () => {
  it('is that of the successor, where a late execution finds one', async () => {
    const clock = new TestClock();
    const guard = createRoute({ store: memoryStore(), ...options, leaseMillis: 1000 }, clock);
    const started = deferred();
    const gate = deferred<Response>();
    const late = guard(post(), () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    clock.advance(2001);
    expect(await (await guard(post(), async () => new Response('second'))).text()).toBe('second');
    gate.resolve(new Response('first'));
    expect(await (await late).text()).toBe('second');
  });

  it('is a problem, where the successor is still running', async () => {
    const clock = new TestClock();
    const guard = createRoute({ store: memoryStore(), ...options, leaseMillis: 1000 }, clock);
    const started = deferred();
    const gate = deferred<Response>();
    const late = guard(post(), () => {
      started.resolve();
      return gate.promise;
    });
    await started.promise;
    clock.advance(2001);
    const successor = deferred();
    void guard(post(), () => {
      successor.resolve();
      return new Promise<never>(() => undefined);
    });
    await successor.promise;
    gate.resolve(new Response('paid'));
    expect(await (await late).json()).toMatchObject({ status: 409, type: 'urn:middy-idempotency:problem:lease-lost' });
  });

  it('is an error of the route itself, as it was, also where another guard has thrown it', async () => {
    const own = new IdempotencyError('KEY_MISSING', 'of a guard inside of the route');
    expect(await thrownBy(guardOf()(post(), () => Promise.reject(own)))).toBe(own);
  });

  it('is stored where `settle` says so: it gets the response in format 2.0', async () => {
    const settle = vi.fn(() => 'store' as const);
    const guard = guardOf({ settle });
    const next = vi.fn(async () => Response.json('no', { status: 503 }));
    await guard(post(), next);
    expect((await guard(post(), next)).status).toBe(503);
    expect(next).toHaveBeenCalledOnce();
    const headers = { 'content-type': 'application/json' };
    const stored = { statusCode: 503, headers, body: '"no"', isBase64Encoded: false };
    expect(settle).toHaveBeenCalledWith({ kind: 'returned', value: stored }, false);
  });
});

describe('refuses at construction', () => {
  it.each([
    ['scope', undefined, "is required: a function of the request, or 'anonymous'"],
    ['scope', 'headers.authorization', "is required: a function of the request, or 'anonymous'"],
    ['fingerprint', 'body', "must be a function, not 'body'"],
    ['methods', ['GET'], 'GET is a safe method, which needs no guard'],
    ['operation', undefined, 'must be a string'],
    ['problemHeaders', () => ({}), 'is not known'],
    ['timeoutEarlyInMillis', 5, 'is not known'],
    ['migrateFrom', {}, 'is not known'],
  ])('%s: %j', (name, value, why) => {
    const make = () => idempotentRoute({ store: memoryStore() as RecordStore, ...options, [name]: value } as never);
    expect(make).toThrow(`option \`${name}\``);
    expect(make).toThrow(why);
  });
});
