import { randomUUID } from 'node:crypto';
import httpCors from '@middy/http-cors';
import httpErrorHandler from '@middy/http-error-handler';
import httpJsonBodyParser from '@middy/http-json-body-parser';
import httpResponseSerializer from '@middy/http-response-serializer';
import validator from '@middy/validator';
import { transpileSchema } from '@middy/validator/transpile';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { MIDDY_VERSIONS } from '../support/harness.ts';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { useApi } from '../support/http-harness.ts';

const harness = useApi();

const cors = httpCors({
  origin: 'https://shop.example.com',
  credentials: true,
  exposeHeaders: 'Idempotent-Replayed, Retry-After, Location',
});
const eventSchema = transpileSchema({
  type: 'object',
  required: ['body'],
  properties: {
    body: { type: 'object', required: ['amount'], properties: { amount: { type: 'integer', minimum: 1 } } },
  },
});
const serialisers = {
  serializers: [{ regex: /^application\/json$/, serializer: ({ body }: { body: unknown }) => JSON.stringify(body) }],
  defaultContentType: 'application/json',
};

/** The documented order: idempotency first, CORS second, whatever makes responses of errors behind them. */
const behind = () => [
  cors,
  httpResponseSerializer(serialisers as never),
  httpErrorHandler({ logger: () => undefined } as never),
  httpJsonBodyParser(),
  validator({ eventSchema }),
];

const CORS_HEADERS = {
  'access-control-allow-origin': 'https://shop.example.com',
  'access-control-allow-credentials': 'true',
  'access-control-expose-headers': 'Idempotent-Replayed, Retry-After, Location',
};

describe.each(MIDDY_VERSIONS)('in the documented order with %s and the other HTTP middlewares', (_, middy) => {
  describe.each(SHAPES.slice(0, 4))('behind $name', (shape) => {
    const handler = vi.fn(async () => ({ statusCode: 201, body: { id: randomUUID() } }));
    beforeEach(() => handler.mockClear());
    const call = (request: TestRequest) =>
      harness.api({
        shape,
        middy,
        handler: handler as never,
        options: { problemsThrough: [cors] },
        behind: behind(),
      })({
        ...request,
        headers: [
          ['Content-Type', 'application/json'],
          ['Origin', 'https://shop.example.com'],
          ...(request.headers ?? []),
        ],
      });
    const pay = (key: string, body: object = { amount: 10 }) =>
      call({ body: JSON.stringify(body), headers: [['Idempotency-Key', key]] });

    it('a first response and its replay are the same, CORS headers included', async () => {
      const key = randomUUID();
      const first = await pay(key);
      expect(first).toMatchObject({
        statusCode: 201,
        headers: { ...CORS_HEADERS, 'content-type': 'application/json' },
      });
      const retry = await pay(key);
      expect(retry).toEqual({ ...first, headers: { ...first.headers, 'idempotent-replayed': 'true' } });
      expect(handler).toHaveBeenCalledTimes(1);
    });

    it('a browser can read the problems, too', async () => {
      const key = randomUUID();
      await pay(key);
      expect(await pay(key, { amount: 11 })).toMatchObject({ statusCode: 422, headers: CORS_HEADERS });
      const missing = await call({ body: '{"amount":1}' });
      expect(missing).toMatchObject({ statusCode: 400, headers: CORS_HEADERS });
      expect(JSON.parse(missing.body)).toMatchObject({ title: 'Idempotency-Key is missing' });
    });

    it('a request that the validator refuses has released the key, and can be corrected under a new one', async () => {
      const refused = await pay(randomUUID(), { amount: 0 });
      expect(refused).toMatchObject({ statusCode: 400, headers: CORS_HEADERS });
      expect(handler).not.toHaveBeenCalled();
      expect(harness.eventTypes()).toEqual(['claimed', 'released']);
      expect((await pay(randomUUID())).statusCode).toBe(201);
    });

    it('a body that the parser refuses is answered as without the guard, and releases', async () => {
      const response = await call({ body: '{"amount":', headers: [['Idempotency-Key', randomUUID()]] });
      expect(response.statusCode).toBe(422);
      expect(response.headers).toMatchObject(CORS_HEADERS);
      expect(harness.eventTypes()).toEqual(['claimed', 'released']);
    });

    it("an error of the handler becomes the error handler's response, and a retry executes", async () => {
      const key = randomUUID();
      handler.mockRejectedValueOnce(new Error('secret'));
      const failed = await pay(key);
      expect(failed.statusCode).toBe(500);
      expect(failed.body).not.toContain('secret');
      expect((await pay(key)).statusCode).toBe(201);
      expect(handler).toHaveBeenCalledTimes(2);
    });

    it('a hook that throws after the handler returned does not release, although the client sees a 500', async () => {
      const key = randomUUID();
      const breaks = {
        after: async () => {
          throw new Error('serialiser broke');
        },
      };
      const broken = harness.api({
        shape,
        middy,
        handler: handler as never,
        behind: [cors, httpErrorHandler({ logger: () => undefined } as never), breaks],
      });
      const request: TestRequest = {
        body: '{"amount":1}',
        headers: [
          ['Idempotency-Key', key],
          ['Content-Type', 'application/json'],
        ],
      };
      const first = await broken(request);
      expect(first.statusCode).toBe(500);
      const retry = await broken(request);
      expect(retry).toMatchObject({ statusCode: 500, headers: { 'idempotent-replayed': 'true' } });
      expect(handler).toHaveBeenCalledTimes(1);
    });
  });
});

describe('a body parser in front', () => {
  it('leaves two integers that it rounds to one no record to share: the request is refused', async () => {
    const handler = vi.fn(async () => ({ statusCode: 201 }));
    const call = harness.api({ handler, inFront: [httpJsonBodyParser()] });
    const pay = (account: string) =>
      call({
        body: `{"account":${account}}`,
        headers: [
          ['Content-Type', 'application/json'],
          ['Idempotency-Key', 'rounded'],
        ],
      });
    for (const account of ['9007199254740993', '9007199254740992']) {
      const response = await pay(account);
      expect(response.statusCode).toBe(400);
      expect(JSON.parse(response.body)).toMatchObject({ type: 'urn:middy-idempotency:problem:key-invalid' });
    }
    expect(handler).not.toHaveBeenCalled();
    expect(harness.eventTypes()).toEqual(['refused', 'refused']);
    expect((await pay('9007199254740991')).statusCode).toBe(201);
  });
});

describe.each(SHAPES)('problemHeaders behind $name', (shape) => {
  type Event = { headers?: Record<string, string>; multiValueHeaders?: Record<string, string[]> };
  const originOf = ({ headers, multiValueHeaders }: Event) =>
    headers?.['origin'] ?? headers?.['Origin'] ?? multiValueHeaders?.['Origin']?.[0];
  const refused = (problemHeaders: (event: never) => unknown, options: object = {}) =>
    harness.api({
      shape,
      handler: async () => ({ statusCode: 201 }),
      options: { problemHeaders, ...options } as never,
    })({ body: '{}', headers: [['Origin', 'https://shop.example.com']] });
  const allowed = (event: Event) => ({ 'Access-Control-Allow-Origin': originOf(event), Vary: 'Origin' });

  it('go out with a problem, as a function of its request', async () => {
    const problem = await refused(allowed);
    expect(problem).toMatchObject({ statusCode: 400, headers: { vary: 'Origin', 'cache-control': 'no-store' } });
    expect(problem.headers['access-control-allow-origin']).toBe('https://shop.example.com');
    expect(JSON.parse(problem.body)).toMatchObject({ title: 'Idempotency-Key is missing' });
  });

  it('may take their time', async () => {
    expect((await refused(async (event) => allowed(event))).headers).toMatchObject({ vary: 'Origin' });
  });

  it('go out with the problem that ends an execution, too', async () => {
    const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
    const options = { leaseMillis: 1000, timeoutEarlyInMillis: 0, problemHeaders: () => ({ vary: 'Origin' }) };
    const started = Promise.withResolvers<void>();
    const hangs = () => {
      started.resolve();
      return new Promise(() => undefined);
    };
    const handler = async () => {
      harness.clock.advance(3000);
      void harness.api({ shape, options, handler: hangs })(request);
      await started.promise;
      return { statusCode: 201 };
    };
    const lost = await harness.api({ shape, options, handler })(request);
    expect(lost).toMatchObject({ statusCode: 409, headers: { vary: 'Origin' } });
  });

  it('pass the middlewares with the problem', async () => {
    const after = async ({ response }: { response: { headers: Record<string, string> } }) => {
      response.headers['x-seen'] = String(response.headers['Vary']);
    };
    expect((await refused(allowed, { problemsThrough: [{ after }] })).headers['x-seen']).toBe('Origin');
  });

  it('replace nothing that the problem says, in any case, and no value that is no text goes out', async () => {
    const own = () => ({ 'content-type': 'text/html', 'CACHE-CONTROL': 'public', 'x-none': undefined, 'x-seven': 7 });
    expect((await refused(own)).headers).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('no origin');
      },
    ],
    [
      'rejects',
      async () => {
        throw new Error('no origin');
      },
    ],
    ['answers nothing', () => undefined],
    ['answers null', () => null],
    ['answers no object', () => 7],
  ])('are left out when the function %s: the problem is still the answer', async (_, problemHeaders) => {
    expect((await refused(problemHeaders)).headers).toEqual({
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
    });
  });

  it('stay when a middleware behind them throws', async () => {
    const after = () => Promise.reject(new Error('cors is misconfigured'));
    expect((await refused(allowed, { problemsThrough: [{ after }] })).headers).toMatchObject({ vary: 'Origin' });
  });
});

describe('problemsThrough', () => {
  const hook = (name: string, effect?: (request: { response: { headers: Record<string, string> } }) => unknown) => ({
    after: async (request: { response: { headers: Record<string, string> } }) => {
      request.response.headers['x-order'] = `${request.response.headers['x-order'] ?? ''}${name}`;
      return effect?.(request);
    },
  });
  const refused = (problemsThrough: readonly object[], shape = SHAPES[1]) =>
    harness.api({
      ...(shape && { shape }),
      handler: async () => ({ statusCode: 201 }),
      options: { problemsThrough } as never,
    })({
      body: '{}',
    });

  it('runs hooks in the order in which Middy would', async () => {
    expect((await refused([hook('a'), hook('b')])).headers['x-order']).toBe('ba');
  });

  it('takes a response that a hook returns, or leaves as an early one', async () => {
    const returns = hook('r', () => ({ statusCode: 400, headers: { returned: '1' }, body: '{}' }));
    expect((await refused([returns])).headers).toEqual({ returned: '1' });
    const early = hook('e', (request) => {
      (request as { earlyResponse?: unknown }).earlyResponse = { statusCode: 400, headers: { early: '1' }, body: '{}' };
    });
    expect((await refused([early])).headers).toEqual({ early: '1' });
  });

  it('answers with the plain problem when a hook throws', async () => {
    const throws = hook('t', () => {
      throw new Error('cors is misconfigured');
    });
    const response = await refused([throws]);
    expect(response).toMatchObject({ statusCode: 400, headers: { 'content-type': 'application/problem+json' } });
  });

  it('puts the headers of the hooks where an ALB with multi-value headers reads them', async () => {
    const response = await refused([cors], SHAPES[4]);
    expect(response).toMatchObject({ statusCode: 400, headers: CORS_HEADERS });
    expect(JSON.parse(response.body)).toMatchObject({ title: 'Idempotency-Key is missing' });
  });
});

describe('another guard in front', () => {
  it('does not store that this one has refused', async () => {
    const { createIdempotency } = await import('../../src/middy/idempotency.ts');
    const { dynamoDBStore } = await import('middy-idempotency/dynamodb');
    const outer = createIdempotency(
      { store: dynamoDBStore(harness.table), operation: 'outer', key: 'headers."x-outer"' } as never,
      harness.clock,
    );
    const handler = vi.fn(async () => ({ statusCode: 201 }));
    const call = harness.api({ handler, inFront: [outer] });
    const headers = [['X-Outer', randomUUID()]] as const;
    expect((await call({ body: '{}', headers })).statusCode).toBe(400);
    const corrected = await call({ body: '{}', headers: [...headers, ['Idempotency-Key', randomUUID()]] });
    expect(corrected.statusCode).toBe(201);
  });
});

describe('the same guard twice in one chain', () => {
  it('refuses, and leaves nothing behind that a retry would be answered with', async () => {
    const { createHttpIdempotency } = await import('../../src/http/index.ts');
    const { dynamoDBStore } = await import('middy-idempotency/dynamodb');
    const options = { store: dynamoDBStore(harness.table), operation: 'test', scope: 'anonymous' } as never;
    const again = createHttpIdempotency(options, harness.clock);
    const handler = vi.fn(async () => ({ statusCode: 201 }));
    const request: TestRequest = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] };
    expect((await harness.api({ handler, behind: [again] })(request)).statusCode).toBe(409);
    expect(harness.eventTypes()).toEqual(['claimed', 'released']);
    expect((await harness.api({ handler })(request)).statusCode).toBe(201);
  });
});
