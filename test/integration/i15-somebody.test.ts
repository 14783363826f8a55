import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { verifiedIdentity } from '../../src/http/identity.ts';
import { readRequest } from '../../src/http/request.ts';
import { SHAPES, type TestRequest } from '../support/http-events.ts';
import { type Shape, useApi } from '../support/http-harness.ts';

const harness = useApi();
const [rest, httpApi, functionUrl, alb, albMultiple] = SHAPES as [Shape, Shape, Shape, Shape, Shape];

const clientCert = { issuerDN: 'CN=ca', serialNumber: '1', subjectDN: 'CN=cdn' };
const mutualTls = { authentication: { clientCert }, identity: { clientCert } };
const apiKey = { identity: { apiKeyId: 'partner' } };
const role = 'arn:aws:sts::123456789012:assumed-role/App';

/** What the authorizer says of two callers, neither of whom it names, beside evidence that both have. */
const UNNAMED: readonly (readonly [string, Shape, TestRequest])[] = [
  ['a JWT without sub, behind mutual TLS', httpApi, { authorizer: { jwt: { claims: { iss: 'i' } } }, ...mutualTls }],
  ['a JWT with an empty sub', httpApi, { authorizer: { jwt: { claims: { iss: 'i', sub: '' } } }, ...mutualTls }],
  ['a JWT whose sub is no text', httpApi, { authorizer: { jwt: { claims: { iss: 'i', sub: {} } } }, ...mutualTls }],
  ['a JWT without claims', httpApi, { authorizer: { jwt: { claims: null, scopes: [] } }, ...mutualTls }],
  ['a Lambda authorizer that says null', httpApi, { authorizer: { lambda: null }, ...mutualTls }],
  ['a Lambda authorizer without principalId', httpApi, { authorizer: { lambda: { tier: 'gold' } }, ...mutualTls }],
  ['a Lambda authorizer with an empty one', httpApi, { authorizer: { lambda: { principalId: '' } }, ...mutualTls }],
  ['IAM without an ARN', httpApi, { authorizer: { iam: { accessKey: 'A1', userArn: null } }, ...mutualTls }],
  [
    'an identity pool without an identity',
    httpApi,
    { authorizer: { iam: { userArn: `${role}/shared`, cognitoIdentity: { identityPoolId: 'p', identityId: null } } } },
  ],
  [
    'the session name that all users of an identity pool share',
    httpApi,
    { authorizer: { iam: { userArn: `${role}/CognitoIdentityCredentials`, cognitoIdentity: null } } },
  ],
  ['IAM without an ARN', functionUrl, { authorizer: { iam: { accessKey: 'A1', userArn: '' } }, ...mutualTls }],
  ['Cognito claims without sub, and an API key', rest, { authorizer: { claims: { iss: 'i' } }, ...apiKey }],
  [
    'Cognito claims without sub, and a role',
    rest,
    { authorizer: { claims: { iss: 'i' } }, identity: { userArn: role } },
  ],
  [
    'Cognito claims without sub, and a principal',
    rest,
    { authorizer: { claims: { iss: 'i' }, principalId: 'user' }, ...apiKey },
  ],
  ['claims without sub and issuer', rest, { authorizer: { claims: { scope: 'pay' } }, ...mutualTls }],
  ['a Lambda authorizer without principalId', rest, { authorizer: { tier: 'gold' }, ...apiKey }],
  ['a Lambda authorizer with an empty one', rest, { authorizer: { principalId: '' }, ...apiKey }],
  ['a Lambda authorizer whose principalId is null', rest, { authorizer: { principalId: null, tier: 1 }, ...mutualTls }],
  ['IAM without an ARN, and an API key', rest, { identity: { caller: 'AIDA', userArn: null, apiKeyId: 'partner' } }],
  [
    'an identity pool without an identity',
    rest,
    { identity: { userArn: `${role}/shared`, cognitoIdentityPoolId: 'p', cognitoIdentityId: '' } },
  ],
  ['an API key without an id, behind mutual TLS', rest, { identity: { apiKeyId: '', clientCert } }],
  ['OIDC', alb, { headers: [['x-amzn-oidc-identity', 'alice']] }],
  ['mutual TLS', albMultiple, { headers: [['x-amzn-mtls-clientcert-leaf', 'pem']] }],
];

describe('I15 a caller whom the gateway has admitted without a name is refused', () => {
  const handler = vi.fn(async () => ({ statusCode: 201, body: randomUUID() }));
  beforeEach(() => handler.mockClear());

  describe.each([
    ['the default scope', undefined],
    ["scope 'anonymous'", 'anonymous' as const],
  ])('with %s', (_, scope) => {
    it.each(UNNAMED)('%s', async (_caller, shape, evidence) => {
      const call = harness.api({ shape, handler, options: { scope: scope as never } });
      const { headers = [], ...rest } = evidence;
      const request = {
        body: '{"amount":1}',
        headers: [['Idempotency-Key', randomUUID()] as const, ...headers],
        ...rest,
      };
      const answers = [await call(request), await call(request)];
      for (const { statusCode, body } of answers) {
        expect(statusCode).toBe(500);
        expect(JSON.parse(body).type).toContain('scope-missing');
      }
      expect(handler).not.toHaveBeenCalled();
    });
  });
});

describe('I15 the strongest evidence that is there names the caller', () => {
  const nameOf = (shape: Shape, request: TestRequest) => verifiedIdentity(readRequest(shape.event(request)));

  it.each<[string, Shape, TestRequest, readonly string[]]>([
    [
      'a JWT before a certificate',
      httpApi,
      { authorizer: { jwt: { claims: { iss: 'i', sub: 'alice' } } }, ...mutualTls },
      ['jwt', 'i', 'alice'],
    ],
    [
      'IAM before a certificate',
      httpApi,
      { authorizer: { iam: { userArn: `${role}/alice`, cognitoIdentity: null } }, ...mutualTls },
      ['iam', `${role}/alice`],
    ],
    [
      'a principal before an API key, which tells more of it',
      rest,
      { authorizer: { principalId: 'user' }, identity: { apiKeyId: 'partner', clientCert } },
      ['authorizer', 'user', 'partner'],
    ],
    [
      'an API key before a certificate',
      rest,
      { identity: { apiKeyId: 'partner', clientCert } },
      ['api-key', 'partner'],
    ],
    ['a certificate where nothing else is', httpApi, mutualTls, ['certificate', 'CN=ca', '1']],
    [
      'a certificate where authorizers are named that have not run',
      rest,
      { authorizer: { claims: null, scopes: null }, identity: { clientCert, apiKeyId: null, userArn: null } },
      ['certificate', 'CN=ca', '1'],
    ],
    [
      'a principal, whatever texts a Lambda authorizer puts beside it',
      rest,
      { authorizer: { principalId: 'alice', jwt: 'a.b.c', claims: 'all', iam: 'none' } },
      ['authorizer', 'alice'],
    ],
  ])('%s', (_, shape, request, expected) => {
    expect(nameOf(shape, request)).toEqual(expected);
  });
});
