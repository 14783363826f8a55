import { randomUUID } from 'node:crypto';
import type { Outcome } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { settleByStatus } from 'middy-idempotency/http';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { deferred } from '../support/harness.ts';
import { SHAPES, type TestRequest, type TestResponse } from '../support/http-events.ts';
import { FETCH, useApi } from '../support/http-harness.ts';

const harness = useApi();

const BASE = 'urn:middy-idempotency:problem:';
const body = JSON.stringify({ amount: 10, currency: 'EUR' });

function problem(response: TestResponse, status: number, name: string) {
  expect(response.statusCode).toBe(status);
  expect(response.headers['content-type']).toBe('application/problem+json');
  expect(response.headers['cache-control']).toBe('no-store');
  const details = JSON.parse(response.body);
  expect(details).toEqual({
    type: `${BASE}${name}`,
    title: expect.any(String),
    status,
    detail: expect.any(String),
    // A web-standard server has no id of the request.
    ...(details.instance !== undefined && { instance: expect.stringMatching(/^urn:uuid:[0-9a-f-]{36}$/) }),
  });
  return details;
}

describe.each([...SHAPES, FETCH])('the guard behind $name', (shape) => {
  const post = (key: string, changes: Partial<TestRequest> = {}): TestRequest => ({
    body,
    ...changes,
    headers: [['Content-Type', 'application/json'], ['Idempotency-Key', key], ...(changes.headers ?? [])],
  });
  const created = () => ({
    statusCode: 201,
    headers: { 'content-type': 'application/json', date: 'now', 'x-amzn-trace-id': 'Root=1', location: '/payments/1' },
    body: JSON.stringify({ id: randomUUID() }),
  });
  const multiple = () => {
    const { headers, ...rest } = created();
    const entries = Object.entries({ ...headers, 'set-cookie': 'a=1' });
    return { ...rest, multiValueHeaders: Object.fromEntries(entries.map(([name, value]) => [name, [value]])) };
  };
  const respond = () => (shape.name.includes('multi-value') ? multiple() : created());
  const handlerOf = () => vi.fn(async () => respond());

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('leaves %s alone, with and without a key', async (method) => {
    const handler = handlerOf();
    const call = harness.api({ shape, handler });
    await call(post('k', { method }));
    await call({ method });
    expect(handler).toHaveBeenCalledTimes(2);
    expect(harness.events).toEqual([]);
  });

  it.each(['POST', 'PATCH', 'post'])(
    'refuses %s without a key: 400, and a link to the documentation',
    async (method) => {
      const handler = handlerOf();
      const describedBy = 'https://developer.example.com/idempotency';
      const response = await harness.api({ shape, handler, options: { describedBy } })({ method, body });
      const details = problem(response, 400, 'key-missing');
      expect(details.title).toBe('Idempotency-Key is missing');
      expect(response.headers['link']).toBe(`<${describedBy}>; rel="describedby"`);
      expect(handler).not.toHaveBeenCalled();
      expect(harness.eventTypes()).toEqual(['refused']);
    },
  );

  it.each([
    ['empty', ''],
    ['blank', '   '],
    ['an empty string', '""'],
    ['too long', 'k'.repeat(256)],
    ['beyond ASCII', 'schlüssel'],
    ['with a control character', 'a\u0007b'],
    ['a list', 'a, b'],
    ['a list of strings', '"a", "b"'],
    ['half a string', '"abc'],
    ['with a parameter', '"abc";v=1'],
    ['with an escape that is none', '"a\\b"'],
  ])('refuses a key that is %s: 400', async (name, key) => {
    if (shape === FETCH && name === 'with a control character') return; // `Headers` refuses it.
    const handler = handlerOf();
    const response = await harness.api({ shape, handler })(post(key));
    problem(response, 400, 'key-invalid');
    expect(handler).not.toHaveBeenCalled();
    expect(harness.eventTypes()).toEqual(['refused']);
  });

  it('refuses a key that was sent twice: 400', async () => {
    if (shape.name === 'ALB') return; // It hands on the last value only: nobody can tell.
    const handler = handlerOf();
    const call = harness.api({ shape, handler });
    problem(await call(post('a', { headers: [['Idempotency-Key', 'b']] })), 400, 'key-invalid');
    expect(handler).not.toHaveBeenCalled();
  });

  it('takes a key as structured string and bare for the same, in a header of any case', async () => {
    const handler = handlerOf();
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    await call(post(`"${key}"`));
    await call({
      body,
      headers: [
        ['content-type', 'application/json'],
        ['IDEMPOTENCY-KEY', ` ${key}\t`],
      ],
    });
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('replays the original to a retry, without the headers of its message, and says so', async () => {
    const handler = handlerOf();
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    const first = await call(post(key));
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    expect(first.headers['date']).toBe('now');
    const retry = await call(post(key));
    expect(retry.statusCode).toBe(first.statusCode);
    expect(retry.body).toBe(first.body);
    expect(retry.headers).toEqual({
      'content-type': 'application/json',
      location: '/payments/1',
      'idempotent-replayed': 'true',
    });
    expect(handler).toHaveBeenCalledTimes(1);
    expect(harness.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it.each([
    ['body', { body: JSON.stringify({ amount: 11, currency: 'EUR' }) }],
    ['method', { method: 'PATCH' }],
    ['path', { path: '/payments/other' }],
    ['query', { query: [['capture', 'false']] as const }],
  ])('refuses the key with another %s: 422, and leaves the record', async (_name, changes) => {
    const handler = handlerOf();
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    const first = await call(post(key));
    const details = problem(await call(post(key, changes)), 422, 'key-reused');
    expect(details.title).toBe('Idempotency-Key is already used');
    expect((await call(post(key))).body).toBe(first.body);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('answers a concurrent request with 409, Retry-After and no-store; another payload with 422', async () => {
    const gate = deferred();
    const started = deferred();
    const handler = vi.fn(async () => {
      started.resolve();
      await gate.promise;
      return respond();
    });
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    const first = call(post(key));
    await started.promise;
    const concurrent = await call(post(key));
    problem(concurrent, 409, 'in-flight');
    expect(concurrent.headers['retry-after']).toBe('1');
    problem(await call(post(key, { body: '{}' })), 422, 'key-reused');
    gate.resolve();
    await first;
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('asks duplicates of a function of 15 minutes to come again soon, then later, and at most half a minute later', async () => {
    const started = deferred();
    const handler = () => {
      started.resolve();
      return new Promise(() => undefined);
    };
    const options = { leaseMillis: 900_000 };
    const call = harness.api({ shape, handler, options });
    const key = randomUUID();
    void call(post(key));
    await started.promise;
    const retryAfter = async (api = call) => (await api(post(key))).headers['retry-after'];
    expect(await retryAfter()).toBe('1');
    harness.clock.advance(10_001);
    expect(await retryAfter()).toBe('11');
    harness.clock.advance(400_000);
    expect(await retryAfter()).toBe('30');
    expect(await retryAfter(harness.api({ shape, handler, options: { ...options, maxRetryAfterSeconds: 5 } }))).toBe(
      '5',
    );
    harness.clock.advance(488_499);
    expect(await retryAfter()).toBe('3');
  });

  it.each([200, 204, 301, 400, 402, 404, 409, 422])('stores a %s', async (statusCode) => {
    const handler = vi.fn(async () => ({ statusCode }));
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    await call(post(key));
    await call(post(key));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([429, 500, 502, 503])('releases a %s: a retry executes', async (statusCode) => {
    const handler = vi.fn(async () => ({ statusCode }));
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    expect((await call(post(key))).statusCode).toBe(statusCode);
    await call(post(key));
    expect(handler).toHaveBeenCalledTimes(2);
  });

  describe.each([401, 403, 407, 408, 412, 425, 428])('a %s', (statusCode) => {
    type Handle = {
      step(name: string, fn: () => unknown): Promise<unknown>;
      complete(response: unknown): Promise<void>;
    };
    const answers = async (use: (handle: Handle) => unknown) => {
      const statuses = [statusCode, 201];
      const handler = vi.fn(async (_event: unknown, context: { idempotency?: unknown }) => {
        await use(context.idempotency as Handle);
        return { statusCode: statuses.shift() };
      });
      const call = harness.api({ shape, handler: handler as never });
      const key = randomUUID();
      return [(await call(post(key))).statusCode, (await call(post(key))).statusCode];
    };

    it('of an execution without effects is released: what the client has renewed is executed', async () => {
      expect(await answers(() => undefined)).toEqual([statusCode, 201]);
      expect(harness.eventTypes()).toEqual(['claimed', 'released', 'takenOver', 'completed']);
    });

    it('after a step is stored: it is what became of the request', async () => {
      expect(await answers(({ step }) => step('charge', () => 'charged'))).toEqual([statusCode, statusCode]);
    });

    it('after a step that threw is stored', async () => {
      const refused = ({ step }: Handle) =>
        step('charge', () => Promise.reject(new Error('no'))).catch(() => undefined);
      expect(await answers(refused)).toEqual([statusCode, statusCode]);
    });

    it('after `complete` is stored', async () => {
      expect(await answers(({ complete }) => complete({ statusCode: 201 }))).toEqual([statusCode, statusCode]);
    });
  });

  it('a delayed copy of a request that got a 409 is never executed', async () => {
    const handler = vi.fn(async () => ({ statusCode: 409 }));
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    await call(post(key));
    expect((await call(post(key))).headers['idempotent-replayed']).toBe('true');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('stores a 401 when the policy says so', async () => {
    const handler = vi.fn(async () => ({ statusCode: 401 }));
    const settle = (outcome: Outcome) => settleByStatus(outcome, true);
    const call = harness.api({ shape, handler, options: { settle } });
    const key = randomUUID();
    await call(post(key));
    await call(post(key));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('stores a 500 when the policy says so, as Stripe does', async () => {
    const handler = vi.fn(async () => ({ statusCode: 500 }));
    const call = harness.api({ shape, handler, options: { settle: () => 'store' } });
    const key = randomUUID();
    await call(post(key));
    expect((await call(post(key))).headers['idempotent-replayed']).toBe('true');
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("rethrows the handler's error as it is, and releases", async () => {
    const own = new Error('bug');
    const handler = vi.fn(async () => {
      throw own;
    });
    const call = harness.api({ shape, handler });
    const key = randomUUID();
    await expect(call(post(key))).rejects.toBe(own);
    await expect(call(post(key))).rejects.toBe(own);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  const down = () => ({ ...dynamoDBStore(harness.table), insert: () => Promise.reject(new Error('no network')) });

  it('answers 503 with Retry-After when the store cannot be reached, and does not run the handler', async () => {
    const handler = handlerOf();
    const response = await harness.api({ shape, handler, options: { store: down() } })(post('k'));
    problem(response, 503, 'store-unavailable');
    expect(response.headers['retry-after']).toBe('1');
    expect(handler).not.toHaveBeenCalled();
  });

  it("runs it unguarded then with onStoreError 'run'", async () => {
    const handler = handlerOf();
    const response = await harness.api({ shape, handler, options: { store: down(), onStoreError: 'run' } })(post('k'));
    expect(response.statusCode).toBe(201);
    expect(harness.eventTypes()).toEqual(['claimFailed', 'unguarded']);
  });

  it('answers 409 with a type of its own when the outcome is unknown', async () => {
    const started = deferred();
    const crash = vi.fn(() => {
      started.resolve();
      return new Promise(() => undefined);
    });
    const options = { onExpiredLease: 'throw' } as const;
    const key = randomUUID();
    void harness.api({ shape, handler: crash, options })(post(key));
    await started.promise;
    harness.clock.advance(31_001);
    const handler = handlerOf();
    const response = await harness.api({ shape, handler, options })(post(key));
    problem(response, 409, 'outcome-unknown');
    expect(handler).not.toHaveBeenCalled();
  });

  it('executes without a key, as often as it comes, when none is required', async () => {
    const handler = handlerOf();
    const call = harness.api({ shape, handler, options: { required: false } });
    await call({ body });
    await call({ body });
    expect(handler).toHaveBeenCalledTimes(2);
    expect(harness.eventTypes()).toEqual(['unguarded', 'unguarded']);
  });

  it('guards the methods that it is given', async () => {
    const handler = handlerOf();
    const call = harness.api({ shape, handler, options: { methods: ['PUT'] } });
    const key = randomUUID();
    await call(post(key, { method: 'PUT' }));
    await call(post(key, { method: 'PUT' }));
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('says nothing of the key, the payload or the cause', async () => {
    const key = `secret-key-${randomUUID()}`;
    const refused = await harness.api({ shape, handler: handlerOf(), options: { store: down() } })(post(key));
    expect(JSON.stringify(refused)).not.toMatch(/secret-key|no network|EUR|stack/);
  });
});

describe("onStoreError 'run'", () => {
  const request: TestRequest = { body, headers: [['Idempotency-Key', 'k']] };
  const store = () => dynamoDBStore(harness.table);
  const options = { onStoreError: 'run', timeoutEarlyInMillis: 5 } as const;
  const handler = vi.fn(async () => ({ statusCode: 201 }));
  beforeEach(() => handler.mockClear());

  it('does not run when the store refuses: that is a mistake in the configuration', async () => {
    const missing = dynamoDBStore({ ...harness.table, tableName: 'no-such-table' });
    expect((await harness.api({ handler, options: { ...options, store: missing } })(request)).statusCode).toBe(503);
    expect(handler).not.toHaveBeenCalled();
  });

  it('does not run when the claim was won, but took the time', async () => {
    const slow = {
      ...store(),
      insert: async (record: Parameters<ReturnType<typeof store>['insert']>[0]) => {
        const answer = await store().insert(record);
        harness.clock.advance(29_996);
        return answer;
      },
    };
    const call = harness.api({ handler, options: { ...options, store: slow } });
    expect((await call({ ...request, headers: [['Idempotency-Key', randomUUID()]] })).statusCode).toBe(503);
    expect(handler).not.toHaveBeenCalled();
  });

  it('does not run with less than half of the time: it could be cut off in the middle', async () => {
    const slowly = {
      ...store(),
      insert: async () => {
        harness.clock.advance(15_001);
        throw new Error('no network');
      },
    };
    expect((await harness.api({ handler, options: { ...options, store: slowly } })(request)).statusCode).toBe(503);
    expect(handler).not.toHaveBeenCalled();
  });

  it('does not run when an earlier execution was seen, and the takeover failed', async () => {
    const key = randomUUID();
    const started = deferred();
    const crashed = harness.api({
      handler: () => {
        started.resolve();
        return new Promise(() => undefined);
      },
    });
    const again = { ...request, headers: [['Idempotency-Key', key]] as const };
    void crashed(again);
    await started.promise;
    harness.clock.advance(31_000);
    const broken = { ...store(), replace: () => Promise.reject(new Error('no network')) };
    expect((await harness.api({ handler, options: { ...options, store: broken } })(again)).statusCode).toBe(503);
    expect(handler).not.toHaveBeenCalled();
  });
});
