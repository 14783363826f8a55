import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { verifiedIdentity } from '../../src/http/identity.ts';
import { readRequest } from '../../src/http/request.ts';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { type Shape, useApi } from '../support/http-harness.ts';

const harness = useApi();
const [v1, v2] = SHAPES as [Shape, Shape];

const identityOf = (shape: Shape, request: TestRequest) => verifiedIdentity(readRequest(shape.event(request)));
const role = 'arn:aws:sts::123456789012:assumed-role/Shop';

describe('the identity of a caller', () => {
  it.each<[string, Shape, TestRequest, unknown]>([
    ['a JWT', v2, { authorizer: { jwt: { claims: { iss: 'https://idp', sub: 'u1' } } } }, ['jwt', 'https://idp', 'u1']],
    [
      'a Cognito user pool',
      v1,
      { authorizer: { claims: { iss: 'https://idp', sub: 'u1' } } },
      ['jwt', 'https://idp', 'u1'],
    ],
    ['IAM', v2, { authorizer: { iam: { userArn: `${role}/alice`, accessKey: 'A1' } } }, ['iam', `${role}/alice`]],
    ['IAM', v1, { identity: { userArn: `${role}/alice`, accessKey: 'A1' } }, ['iam', `${role}/alice`]],
    [
      'a Cognito identity pool',
      v2,
      {
        authorizer: { iam: { userArn: `${role}/CognitoIdentityCredentials`, cognitoIdentity: { identityId: 'eu:1' } } },
      },
      ['cognito', 'eu:1'],
    ],
    [
      'a Cognito identity pool',
      v1,
      { identity: { userArn: `${role}/CognitoIdentityCredentials`, cognitoIdentityId: 'eu:2' } },
      ['cognito', 'eu:2'],
    ],
    ['a Lambda authorizer', v1, { authorizer: { principalId: 'tenant-1' } }, ['authorizer', 'tenant-1']],
    ['a Lambda authorizer', v2, { authorizer: { lambda: { principalId: 'tenant-1' } } }, ['authorizer', 'tenant-1']],
    [
      'a Lambda authorizer that says the same of everybody, with an API key',
      v1,
      { authorizer: { principalId: 'user' }, identity: { apiKeyId: 'abc' } },
      ['authorizer', 'user', 'abc'],
    ],
    ['a Lambda authorizer that counts', v2, { authorizer: { lambda: { principalId: 7 } } }, ['authorizer', '7']],
    [
      'a Lambda authorizer with claims of its own',
      v1,
      { authorizer: { claims: { sub: 'everybody' }, principalId: 'tenant-1' } },
      ['authorizer', 'tenant-1'],
    ],
    [
      'a client certificate',
      v1,
      { identity: { clientCert: { issuerDN: 'CN=ca', serialNumber: '1', clientCertPem: 'pem' } } },
      ['certificate', 'CN=ca', '1'],
    ],
    ['an API key', v1, { identity: { apiKeyId: 'abc' } }, ['api-key', 'abc']],
    [
      'a JWT before all others',
      v1,
      {
        authorizer: { claims: { iss: 'https://idp', sub: 'u1' }, principalId: 'p' },
        identity: { userArn: role, apiKeyId: 'abc' },
      },
      ['jwt', 'https://idp', 'u1'],
    ],
    ['a JWT without issuer', v2, { authorizer: { jwt: { claims: { sub: 'u1' } } } }, ['jwt', 'u1']],
    ['nobody: a JWT with an empty subject', v2, { authorizer: { jwt: { claims: { iss: 'i', sub: '' } } } }, undefined],
    ['nobody: a certificate without serial number', v1, { identity: { clientCert: { issuerDN: 'CN=ca' } } }, undefined],
    ['nobody: a certificate without issuer', v1, { identity: { clientCert: { serialNumber: '1' } } }, undefined],
    ['nobody', v1, {}, undefined],
    ['nobody', v2, {}, undefined],
  ])('is that of %s, as the gateway has verified it', (_name, shape, request, expected) => {
    expect(identityOf(shape, request)).toEqual(expected);
  });

  it('is that of a client certificate, of a custom domain of an HTTP API', () => {
    const event = v2.event({});
    const authentication = { clientCert: { issuerDN: 'CN=ca', serialNumber: '1' } };
    const requestContext = { ...(event['requestContext'] as object), authentication };
    expect(verifiedIdentity(readRequest({ ...event, requestContext }))).toEqual(['certificate', 'CN=ca', '1']);
  });

  it('is unique within its API, where a Lambda authorizer tells it', () => {
    const event = v1.event({ authorizer: { principalId: 'p' } });
    const requestContext = { ...(event['requestContext'] as object), apiId: 'api-1' };
    expect(verifiedIdentity(readRequest({ ...event, requestContext }))).toEqual(['authorizer', 'api-1', 'p']);
  });

  it.each([null, 'text', 7, [], { clientCert: null }])('is nobody where the gateway says %j', (garbage) => {
    const requestContext = { authorizer: garbage, identity: garbage, authentication: garbage };
    const event = { ...v1.event({}), requestContext };
    expect(verifiedIdentity(readRequest(event))).toBeUndefined();
  });

  it.each([
    ['the same', 'alice', 'alice', true],
    ['another', 'aws-sdk-js-1764288000000', 'aws-sdk-js-1764291600000', false],
  ])('is %s one when a session is renewed, as its name is', (_, before, after, isSame) => {
    const session = (name: string, accessKey: string) =>
      identityOf(v2, { authorizer: { iam: { userArn: `${role}/${name}`, accessKey } } });
    const renewed = expect(session(after, 'A2'));
    if (isSame) renewed.toEqual(session(before, 'A1'));
    else renewed.not.toEqual(session(before, 'A1'));
  });

  it.each(SHAPES)('is never what the caller of $name can choose', (shape) => {
    const headers = [
      ['Authorization', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1MSJ9.'],
      ['X-Amzn-Oidc-Identity', 'u1'],
      ['X-Amzn-Oidc-Data', 'a.b.c'],
      ['X-Api-Key', 'k'],
      ['X-Forwarded-For', '1.2.3.4'],
    ] as const;
    expect(identityOf(shape, { headers })).toBeUndefined();
  });
});

describe('two callers', () => {
  const caller = (sub: string) => ({ authorizer: { jwt: { claims: { iss: 'https://idp', sub } } } });
  const post = (key: string, changes: Partial<TestRequest>): TestRequest => ({
    body: '{"amount":1}',
    headers: [['Idempotency-Key', key]],
    ...changes,
  });
  const handlerOf = () => vi.fn(async () => ({ statusCode: 201, body: randomUUID() }));

  it('with the same key and body get their own responses', async () => {
    const call = harness.api({ handler: handlerOf(), options: { scope: undefined as never } });
    const key = randomUUID();
    const alice = await call(post(key, caller('alice')));
    const bob = await call(post(key, caller('bob')));
    expect(bob.body).not.toBe(alice.body);
    expect(bob.headers).not.toHaveProperty('idempotent-replayed');
    expect((await call(post(key, caller('alice')))).body).toBe(alice.body);
  });

  it("cannot learn that the other's key exists: not by its payload, and not while it is running", async () => {
    const call = harness.api({ handler: handlerOf(), options: { scope: undefined as never } });
    const key = randomUUID();
    await call(post(key, caller('alice')));
    expect((await call(post(key, { ...caller('bob'), body: '{"amount":2}' }))).statusCode).toBe(201);
  });

  it('are kept apart also where anonymous callers are admitted', async () => {
    const call = harness.api({ handler: handlerOf() });
    const key = randomUUID();
    const anonymous = await call(post(key, {}));
    const alice = await call(post(key, caller('alice')));
    expect(alice.body).not.toBe(anonymous.body);
    expect((await call(post(key, {}))).body).toBe(anonymous.body);
  });

  it.each<[string, Shape, object]>([
    ['a Lambda authorizer without principalId', v2, { authorizer: { lambda: { tenantId: 'alice' } } }],
    ['a Lambda authorizer of an HTTP API that says nothing of them', v2, { authorizer: { lambda: null } }],
    ['a Lambda authorizer of a REST API that says nothing of them', v1, { authorizer: { integrationLatency: 21 } }],
    ['a JWT without subject', v2, { authorizer: { jwt: { claims: { iss: 'https://idp', client_id: 'a' } } } }],
    [
      'an ALB with OIDC',
      SHAPES[3] as Shape,
      {
        headers: [
          ['Idempotency-Key', 'k'],
          ['x-amzn-oidc-identity', 'alice'],
        ],
      },
    ],
    ...[
      'x-amzn-oidc-data',
      'x-amzn-oidc-accesstoken',
      'x-amzn-mtls-clientcert',
      'x-amzn-mtls-clientcert-leaf',
      'x-amzn-mtls-clientcert-serial-number',
    ].map((name): [string, Shape, object] => [
      `an ALB with ${name}`,
      SHAPES[3] as Shape,
      {
        headers: [
          ['Idempotency-Key', 'k'],
          [name, 'alice'],
        ],
      },
    ]),
    ['a client certificate without serial number', v1, { identity: { clientCert: { subjectDN: 'CN=alice' } } }],
  ])('of whom only that they are somebody is known (%s) are not taken for anonymous', async (_, shape, changes) => {
    const call = harness.api({ shape, handler: handlerOf() });
    const response = await call(post(randomUUID(), changes));
    expect(response.statusCode).toBe(500);
    expect(harness.events).toMatchObject([
      { type: 'refused', error: { code: 'SCOPE_MISSING', advice: expect.stringContaining('scope') } },
    ]);
  });

  it.each<[string, Shape, object]>([
    ['an HTTP API in format 1.0', v1, { claims: null, scopes: null }],
    ['a REST API', v1, {}],
    ['an emulator of an HTTP API', v2, { jwt: null, iam: null }],
  ])('are anonymous where %s names an authorizer that has not run', async (_, shape, authorizer) => {
    const call = harness.api({ shape, handler: handlerOf() });
    const key = randomUUID();
    const first = await call(post(key, { authorizer }));
    expect(first.statusCode).toBe(201);
    // The same nobody as where none is named.
    expect((await call(post(key, {}))).body).toBe(first.body);
  });

  it('are anonymous behind an API Gateway whatever headers of an ALB they make up', async () => {
    const call = harness.api({ handler: handlerOf() });
    const key = randomUUID();
    const headers = [
      ['Idempotency-Key', key],
      ['x-amzn-oidc-data', 'a.b.c'],
    ] as const;
    expect((await call(post(key, { headers }))).statusCode).toBe(201);
  });

  it('can be told by an expression or a function of the API', async () => {
    for (const scope of [
      'headers."x-tenant"',
      (event: { headers: Record<string, string> }) => event.headers['x-tenant'],
    ]) {
      const call = harness.api({ handler: handlerOf(), options: { scope: scope as never } });
      const key = randomUUID();
      const tenant = (name: string) =>
        post(key, {
          headers: [
            ['Idempotency-Key', key],
            ['X-Tenant', name],
          ],
        });
      const first = await call(tenant('a'));
      expect((await call(tenant('b'))).body).not.toBe(first.body);
      expect((await call(tenant('a'))).body).toBe(first.body);
    }
  });
});

it('a request of nobody is refused with advice, where anonymous callers are not admitted', async () => {
  const handler = vi.fn(async () => ({ statusCode: 201 }));
  const call = harness.api({ handler, options: { scope: undefined as never } });
  const response = await call({ body: '{}', headers: [['Idempotency-Key', 'k']] });
  expect(response.statusCode).toBe(500);
  expect(JSON.parse(response.body)).toMatchObject({
    type: 'urn:middy-idempotency:problem:scope-missing',
    detail: expect.stringContaining('caller is not known'),
  });
  expect(handler).not.toHaveBeenCalled();
  expect(harness.events).toMatchObject([
    { type: 'refused', error: { advice: expect.stringContaining("'anonymous'") } },
  ]);
});
