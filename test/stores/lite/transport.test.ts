import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { unavailable } from '../../../src/stores/dynamodb/failure.ts';
import type { ServiceError } from '../../../src/stores/dynamodb/lite/answer.ts';
import { exchangeWith } from '../../../src/stores/dynamodb/lite/exchange.ts';
import { type Surroundings, type TransportOptions, transport } from '../../../src/stores/dynamodb/lite/transport.ts';
import { freePort } from '../../../tools/dynamodb-local.ts';
import { deafServer } from '../../support/deaf-server.ts';
import { TestClock, thrownBy } from '../../support/harness.ts';
import { type Respond, type SeenRequest, useHttpsServer } from '../../support/https-server.ts';

const SECRETS = { accessKeyId: 'AKID', secretAccessKey: 'the secret key', sessionToken: 'the session token' };
const INPUT = { TableName: 't', Key: { id: { S: 'the content of the request' } } };

const server = useHttpsServer();

/** A transport with a clock that stands still, and the waits that it has asked for. */
function made(options: Partial<TransportOptions> = {}, surroundings: Partial<Surroundings> = {}) {
  const clock = new TestClock();
  const waits: number[] = [];
  const send = transport(
    { region: 'eu-central-1', endpoint: server.endpoint, credentials: SECRETS, ...options },
    {
      maxAttempts: 3,
      connectMillis: 5000,
      answerMillis: 5000,
      env: {},
      connect: exchangeWith,
      now: clock.now,
      random: () => 0.5,
      delay: async (millis) => void waits.push(millis),
      ...surroundings,
    },
  );
  return { send: (operation = 'PutItem', onSend?: () => void) => send(operation, INPUT, onSend), clock, waits };
}

const failure = async (asked: Promise<unknown>) => (await thrownBy(asked)) as ServiceError & { Item?: unknown };

/** Answers in this order; the last one for all that follow. */
function answers(...responds: Respond[]): void {
  let next = 0;
  server.respond = (response, request) => responds[Math.min(next++, responds.length - 1)]?.(response, request);
}

const ok: Respond = (response) => response.end('{"ok":true}');
const refuse =
  (status: number, name: string, more: object = {}): Respond =>
  (response) =>
    response
      .writeHead(status)
      .end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'no', ...more }));
const fail = refuse(500, 'InternalServerError');
const throttle = refuse(400, 'ProvisionedThroughputExceededException');
const html =
  (status: number): Respond =>
  (response) =>
    response.writeHead(status, { 'content-type': 'text/html' }).end('<html>Forbidden</html>');
const reset: Respond = (response) => void response.socket?.destroy();
const cut: Respond = (response) => {
  response.writeHead(200, { 'content-length': 100 }).write('{"Item":{"id":{"S":"the content of the answer"');
  setImmediate(() => response.socket?.destroy());
};
const switched: Respond = (response) =>
  void response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n');
const altered: Respond = (response) =>
  response.writeHead(200, { 'x-amz-crc32': crc32('{"ok":true}') }).end('{"ok":null}');

describe('a request', () => {
  it('is signed, says what it wants, and is answered', async () => {
    answers((response) => response.writeHead(200, { 'x-amz-crc32': crc32('{"ok":true}') }).end('{"ok":true}'));
    expect(await made().send('GetItem')).toEqual({ ok: true });
    const { headers, body } = server.seen[0] as SeenRequest;
    expect(JSON.parse(body)).toEqual(INPUT);
    expect(headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'content-length': String(body.length),
      'x-amz-target': 'DynamoDB_20120810.GetItem',
      'x-amz-security-token': 'the session token',
      'x-amz-date': '20400101T000000Z',
      'user-agent': expect.stringMatching(/^middy-idempotency nodejs\/\d+\.\d+\.\d+$/),
      authorization: expect.stringContaining('Credential=AKID/20400101/eu-central-1/dynamodb/aws4_request'),
    });
    expect(headers['x-amzn-trace-id']).toBeUndefined();
  });

  it('passes on the trace of the invocation, which AWS uses to find recursive loops', async () => {
    const env: Record<string, string> = { _X_AMZN_TRACE_ID: 'Root=1', AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x' };
    const { send } = made({}, { env });
    await send();
    env['AWS_LAMBDA_FUNCTION_NAME'] = 'payments';
    await send();
    Object.assign(globalThis, { awslambda: { InvokeStore: { getXRayTraceId: () => 'Root=2' } } });
    await send();
    Object.assign(globalThis, { awslambda: undefined });
    expect(server.seen.map(({ headers }) => headers['x-amzn-trace-id'])).toEqual([undefined, 'Root=1', 'Root=2']);
    expect(server.seen[0]?.headers['user-agent']).toMatch(/ AWS_Lambda_nodejs24.x$/);
  });

  it('goes over the connection of the one before', async () => {
    const { send } = made();
    for (let n = 0; n < 3; n++) await send();
    expect(server.seen.map(({ connection }) => connection)).toEqual([0, 0, 0]);
  });

  it('has the credentials of its moment', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'first', AWS_SECRET_ACCESS_KEY: 's' };
    const { send } = made({ credentials: undefined }, { env });
    await send();
    env.AWS_ACCESS_KEY_ID = 'second';
    await send();
    expect(server.seen.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1])).toEqual([
      'first',
      'second',
    ]);
  });
});

describe('a request that got no answer', () => {
  it.each<[string, Respond]>([
    ['a reset connection', reset],
    ['a cut answer', cut],
    ['an altered answer', altered],
    ['a page of HTML with a 200', html(200)],
    ['an error with a 200', (response) => void response.end('{"__type":"x#InternalServerError"}')],
    ['another protocol', switched],
    ['a redirect', (response) => void response.writeHead(302).end('{}')],
    ['a list', (response) => void response.end('[]')],
    ['nothing', (response) => void response.end()],
    ['a 500', fail],
    ['a page of HTML with a 502', html(502)],
    ['a 503 without a name', (response) => void response.writeHead(503).end('{}')],
  ])('is sent again, and given up after three tries: %s', async (_, respond) => {
    const { send, waits } = made();
    answers(respond, respond, ok);
    expect(await send()).toEqual({ ok: true });
    answers(respond);
    const error = await failure(send());
    expect(error.$metadata?.attempts).toBe(3);
    expect(error.$metadata?.httpStatusCode ?? 0).toSatisfy((status: number) => status < 400 || status >= 500);
    expect(server.seen).toHaveLength(6);
    expect(waits.slice(0, 2)).toEqual([25, 50]);
    expect(inspect(error, { depth: 9 })).not.toMatch(/the secret|the session|the content/);
  });

  it('is given up after its time, and sent again', async () => {
    const { send } = made({}, { answerMillis: 60, maxAttempts: 2 });
    answers(() => undefined, ok);
    expect(await send()).toEqual({ ok: true });
    answers(() => undefined);
    expect(await failure(send())).toMatchObject({ name: 'TimeoutError', message: 'no answer in 60 ms' });
  });

  it('is given up after its time when the answer has begun, too', async () => {
    const { send } = made({}, { answerMillis: 60, maxAttempts: 1 });
    answers((response) => void response.writeHead(200).write('{"ok"'));
    expect(await failure(send())).toMatchObject({ name: 'TimeoutError' });
  });

  it('is not given up for its connection once that is there, however late the answer', async () => {
    const { send } = made({}, { connectMillis: 150 });
    answers((response) => void setTimeout(() => response.end('{"ok":true}'), 400));
    expect(await send()).toEqual({ ok: true });
    expect(server.seen).toHaveLength(1);
  });

  it.skipIf(process.platform !== 'linux')('is given up where no connection comes about', async () => {
    const { endpoint, close } = await deafServer();
    const { send } = made({ endpoint }, { connectMillis: 60, maxAttempts: 1 });
    expect(await failure(send())).toMatchObject({ name: 'TimeoutError', message: 'no connection in 60 ms' });
    close();
  });

  it('says so where nobody listens', async () => {
    const { send } = made({ endpoint: `https://127.0.0.1:${await freePort()}` });
    expect(await failure(send())).toMatchObject({ code: 'ECONNREFUSED', $metadata: { attempts: 3 } });
  });

  it('waits longer, and at random, where DynamoDB has too many requests', async () => {
    const { send, waits } = made();
    answers(throttle, refuse(429, 'Unknown'), ok);
    expect(await send()).toEqual({ ok: true });
    expect(waits).toEqual([250, 500]);
  });
});

describe('a refused request', () => {
  it.each<[string, Respond, object]>([
    ['by DynamoDB', refuse(400, 'ValidationException'), { name: 'ValidationException', $fault: 'client' }],
    ['by a transaction', refuse(400, 'TransactionConflictException'), { name: 'TransactionConflictException' }],
    ['by a proxy, with a page', html(403), { $metadata: { httpStatusCode: 403 } }],
    ['by a proxy, with JSON', (response) => void response.writeHead(403).end('{"message":"no"}'), { message: 'no' }],
  ])('is not sent again: %s', async (_, respond, expected) => {
    answers(respond);
    const error = await failure(made().send());
    expect(error).toMatchObject({ ...expected, $metadata: { attempts: 1 } });
    expect(server.seen).toHaveLength(1);
  });

  it.each([html(403), ((response) => void response.writeHead(403).end('{}')) as Respond])(
    'is not said to be refused by DynamoDB where a proxy did it',
    async (respond) => {
      answers(respond);
      expect((await failure(made().send())).$fault).toBeUndefined();
    },
  );

  it('brings the items that were in the way, with their bytes', async () => {
    const Item = { id: { S: 'x' }, bytes: { B: 'AQI=' } };
    const found = { id: { S: 'x' }, bytes: { B: Uint8Array.of(1, 2) } };
    answers(refuse(400, 'ConditionalCheckFailedException', { Item }));
    expect(await failure(made().send())).toMatchObject({ name: 'ConditionalCheckFailedException', Item: found });
    const CancellationReasons = [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item }];
    answers(refuse(400, 'TransactionCanceledException', { CancellationReasons }));
    expect(await failure(made().send())).toMatchObject({
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item: found }],
    });
  });

  it('is doubtful after a try that may have been applied, even where the last one was never sent', async () => {
    answers(reset, refuse(400, 'ExpiredTokenException'));
    expect(await failure(made().send())).toMatchObject({ name: 'ExpiredTokenException', $metadata: { attempts: 2 } });
    const env: Record<string, string> = { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' };
    answers((response, request) => {
      delete env['AWS_ACCESS_KEY_ID'];
      reset(response, request);
    });
    const error = await failure(made({ credentials: undefined }, { env }).send());
    expect(error).toMatchObject({ name: 'CredentialsProviderError', $metadata: { attempts: 2 } });
  });
});

describe('a connection', () => {
  it('that died while the process was frozen is replaced at once, and so are all that were idle with it', async () => {
    const { send, waits } = made();
    let waiting: (() => void)[] = [];
    // Three at a time make three connections.
    server.respond = (response) => {
      waiting.push(() => response.end('{}'));
      if (waiting.length === 3) for (const respond of waiting.splice(0)) respond();
    };
    await Promise.all([send(), send(), send()]);
    waiting = [];
    server.respond = (response, { connection }) =>
      connection < 3 ? response.socket?.destroy() : response.end('{"ok":true}');
    expect(await send()).toEqual({ ok: true });
    expect(server.seen.map(({ connection }) => connection).slice(3)).toEqual([expect.any(Number), 3]);
    expect(waits).toEqual([]);
    await send();
    expect(server.seen.at(-1)?.connection).toBe(3);
  });

  it('that was idle for so long that a gateway may have forgotten it is not used again', async () => {
    const { send, clock } = made();
    await send();
    clock.advance(299_000);
    await send();
    clock.advance(301_000);
    await send();
    expect(server.seen.map(({ connection }) => connection)).toEqual([0, 0, 1]);
  });
});

describe('a clock that is wrong', () => {
  const HOUR = 3_600_000;
  const skewed =
    (date: number, name = 'InvalidSignatureException'): Respond =>
    (response) =>
      response.writeHead(400, { date: new Date(date).toUTCString() }).end(JSON.stringify({ __type: `x#${name}` }));
  const dates = () => server.seen.map(({ headers }) => headers['x-amz-date']);

  it("is corrected by DynamoDB's, for this request and for all that follow", async () => {
    const { send, clock } = made();
    answers(skewed(clock.now() + HOUR), ok);
    expect(await send()).toEqual({ ok: true });
    await send();
    expect(dates()).toEqual(['20400101T000000Z', '20400101T010000Z', '20400101T010000Z']);
  });

  it('is corrected once: a signature that is wrong for another reason is refused', async () => {
    const { send, clock } = made();
    answers(skewed(clock.now() + HOUR));
    expect(await failure(send())).toMatchObject({ name: 'InvalidSignatureException', $metadata: { attempts: 2 } });
    server.seen.length = 0;
    answers(skewed(clock.now() + HOUR + 1000));
    expect(await failure(send())).toMatchObject({ $metadata: { attempts: 1 } });
  });

  it('is not what is wrong where a credential is refused', async () => {
    const { send, clock } = made();
    answers(skewed(clock.now() + HOUR, 'UnrecognizedClientException'));
    expect(await failure(send())).toMatchObject({ $metadata: { attempts: 1 } });
  });

  it('is right, and the signature old, where the process was frozen before the request arrived', async () => {
    const { send, clock } = made();
    server.respond = (response, request) => {
      if (server.seen.length > 1) return ok(response, request);
      clock.advance(600_000);
      skewed(clock.now())(response, request);
    };
    expect(await send()).toEqual({ ok: true });
    expect(dates()).toEqual(['20400101T000000Z', '20400101T001000Z']);
  });

  it('is corrected for each of several requests that were on their way', async () => {
    const { send, clock } = made();
    const late = skewed(clock.now() + HOUR);
    server.respond = (response, request) =>
      (request.headers['x-amz-date'] === '20400101T000000Z' ? late : ok)(response, request);
    expect(await Promise.all([send(), send(), send()])).toEqual([{ ok: true }, { ok: true }, { ok: true }]);
  });
});

describe('what was sent', () => {
  it.each<[string, Partial<typeof SECRETS>]>([
    ['x-amz-security-token', { sessionToken: 'the session token\n' }],
    ['authorization', { accessKeyId: 'AKID\n' }],
  ])('is known: nothing with a %s that no header can have', async (header, odd) => {
    const error = await failure(made({ credentials: { ...SECRETS, ...odd } }).send());
    expect(error).toMatchObject({ name: 'EndpointError', $metadata: { attempts: 1 } });
    expect(error.message).toContain(header);
    expect(unavailable(error, 't')).toMatchObject({ retryable: false, unanswered: undefined });
    expect(inspect(error, { depth: 9 })).not.toMatch(/the secret|the session/);
  });

  it('is known: nothing without credentials', async () => {
    let sent = 0;
    const { send } = made({ credentials: undefined });
    expect(await failure(send('PutItem', () => sent++))).toMatchObject({ name: 'CredentialsProviderError' });
    expect([sent, server.seen.length]).toEqual([0, 0]);
    await made().send('PutItem', () => sent++);
    expect(sent).toBe(1);
  });
});
