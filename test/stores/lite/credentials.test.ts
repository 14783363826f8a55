import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Credentials, credentialsOf } from '../../../src/stores/dynamodb/lite/credentials.ts';
import { listenHere } from '../../../tools/loopback.ts';
import { TestClock, thrownBy } from '../../support/harness.ts';

const KEYS = { accessKeyId: 'AKID', secretAccessKey: 'a secret' };
const FULL_URI = 'AWS_CONTAINER_CREDENTIALS_FULL_URI';
const TOKEN_FILE = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE';
const MINUTE = 60_000;

const clock = new TestClock();
const from = (given: Parameters<typeof credentialsOf>[0], env: Record<string, string | undefined> = {}) =>
  credentialsOf(given, { env, now: clock.now });
const failure = async (asked: () => unknown) => (await thrownBy(Promise.resolve().then(asked))) as Error;
const inMinutes = (minutes: number) => new Date(clock.now() + minutes * MINUTE);

describe('the environment', () => {
  it('is read at every request: Lambda changes it while the process lives', async () => {
    const env: Record<string, string> = {
      AWS_ACCESS_KEY_ID: 'one',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 't',
    };
    const credentials = from(undefined, env);
    expect(await credentials()).toEqual({ accessKeyId: 'one', secretAccessKey: 's', sessionToken: 't' });
    Object.assign(env, { AWS_ACCESS_KEY_ID: 'two', AWS_SESSION_TOKEN: '' });
    expect(await credentials()).toMatchObject({ accessKeyId: 'two', sessionToken: '' });
  });

  it.each([{}, { AWS_ACCESS_KEY_ID: 'only' }, { AWS_PROFILE: 'dev' }])(
    'with %j says to use the other store',
    async (env) => {
      const error = await failure(from(undefined, env));
      expect(error.name).toBe('CredentialsProviderError');
      expect(error.message).toContain('middy-idempotency/dynamodb');
    },
  );
});

describe('a provider', () => {
  it('is asked once for many requests, and again shortly before what it gave ends', async () => {
    let asked = 0;
    const credentials = from(async () => ({ ...KEYS, sessionToken: String(++asked), expiration: inMinutes(60) }));
    const tokens = async () =>
      (await Promise.all([credentials(), credentials()])).map(({ sessionToken }) => sessionToken);
    expect(await tokens()).toEqual(['1', '1']);
    clock.advance(54 * MINUTE);
    expect(await tokens()).toEqual(['1', '1']);
    clock.advance(2 * MINUTE);
    expect(await tokens()).toEqual(['2', '2']);
  });

  it('is asked for every request where it does not say when they end', async () => {
    let asked = 0;
    const credentials = from(() => ({ ...KEYS, sessionToken: String(++asked) }));
    expect([await credentials(), await credentials()]).toMatchObject([{ sessionToken: '1' }, { sessionToken: '2' }]);
  });

  it('may fail while what it gave before is still valid, and not longer', async () => {
    const answers: (Credentials | undefined)[] = [{ ...KEYS, expiration: inMinutes(10) }];
    const credentials = from(async () => {
      const answer = answers.shift();
      if (answer === undefined) throw new Error('the service is down');
      return answer;
    });
    expect(await credentials()).toMatchObject(KEYS);
    clock.advance(9 * MINUTE);
    expect(await credentials()).toMatchObject(KEYS);
    clock.advance(MINUTE);
    const error = await failure(credentials);
    expect(error).toMatchObject({ name: 'CredentialsProviderError', cause: { message: 'the service is down' } });
  });

  it.each([undefined, null, {}, { accessKeyId: 'a' }, { accessKeyId: 1, secretAccessKey: 's' }])(
    'that gives %j is refused, and no request is signed with it',
    async (given) => {
      expect(await failure(from(() => given as never))).toMatchObject({ name: 'CredentialsProviderError' });
    },
  );

  it('of the SDK fits, and so does an identity', async () => {
    type SdkProvider = Extract<DynamoDBClientConfig['credentials'], () => unknown>;
    const provider: SdkProvider = async () => ({ ...KEYS, accountId: '123456789012' });
    expect(await from(provider)()).toMatchObject(KEYS);
    expect(await from(KEYS)()).toBe(KEYS);
  });
});

describe('the container endpoint', () => {
  const seen: IncomingMessage[] = [];
  let answer: (response: ServerResponse) => void;
  const server = createServer((request, response) => {
    seen.push(request);
    answer(response);
  });
  let url: string;
  const folder = mkdtempSync(join(tmpdir(), 'credentials-'));
  const body = (minutes: number, more: object = {}) =>
    JSON.stringify({
      AccessKeyId: 'AKID',
      SecretAccessKey: 'a secret',
      Token: 't',
      Expiration: inMinutes(minutes).toISOString(),
      ...more,
    });

  beforeAll(async () => {
    url = `${await listenHere(server)}/role?of=mine`;
  });
  beforeEach(() => {
    seen.length = 0;
    answer = (response) => response.end(body(60));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    server.close();
    server.closeAllConnections();
  });

  it('is asked with its token, and its answer is kept until shortly before it ends', async () => {
    const credentials = from(undefined, { [FULL_URI]: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'Basic x' });
    expect(await credentials()).toEqual({ ...KEYS, sessionToken: 't', expiration: inMinutes(60) });
    await credentials();
    expect(seen.map((request) => [request.method, request.url, request.headers.authorization])).toEqual([
      ['GET', '/role?of=mine', 'Basic x'],
    ]);
    clock.advance(56 * MINUTE);
    await credentials();
    expect(seen).toHaveLength(2);
  });

  it('is asked with the token that the file has then', async () => {
    const file = join(folder, 'token');
    writeFileSync(file, 'first\n');
    const credentials = from(undefined, {
      [FULL_URI]: url,
      [TOKEN_FILE]: file,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'no',
    });
    await credentials();
    writeFileSync(file, 'second');
    clock.advance(56 * MINUTE);
    await credentials();
    expect(seen.map((request) => request.headers.authorization)).toEqual(['first', 'second']);
  });

  it('is asked again when it fails, and not for ever', async () => {
    const credentials = from(undefined, { [FULL_URI]: url });
    answer = (response) => (seen.length < 3 ? response.writeHead(500).end() : response.end(body(60)));
    expect(await credentials()).toMatchObject(KEYS);
    answer = (response) => response.writeHead(500).end();
    seen.length = 0;
    const error = await failure(from(undefined, { [FULL_URI]: url }));
    expect(error).toMatchObject({ name: 'CredentialsProviderError', message: expect.stringContaining('status 500') });
    expect(seen).toHaveLength(3);
  });

  it('is given up where it answers in another protocol', async () => {
    answer = (response) =>
      void response.socket?.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n');
    expect((await failure(from(undefined, { [FULL_URI]: url }))).message).toContain('another protocol');
    expect(seen).toHaveLength(3);
  });

  it.each([
    ['a page of HTML', '<html>a secret</html>'],
    ['a cut answer', '{"SecretAccessKey":"a secret"'],
    ['no token', JSON.stringify({ AccessKeyId: 'AKID', SecretAccessKey: 'a secret' })],
    ['nothing', 'null'],
  ])('is no source of credentials with %s, and its secrets stand in no error', async (_, text) => {
    answer = (response) => response.end(text);
    const error = await failure(from(undefined, { [FULL_URI]: url }));
    expect(error.name).toBe('CredentialsProviderError');
    expect(`${error.message} ${error.stack} ${(error.cause as Error).stack}`).not.toContain('a secret');
  });

  it.each(['http://example.com/', 'http://169.254.170.3/', 'http://127.evil.example/', 'http://[fd00:ec2::24]/'])(
    'is not asked without TLS where it is no own address: %s',
    async (address) => {
      const error = await failure(from(undefined, { [FULL_URI]: address }));
      expect(error).toMatchObject({
        name: 'CredentialsProviderError',
        message: expect.stringContaining('without TLS'),
      });
    },
  );
});
