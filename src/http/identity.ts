import { fields } from '../request-key/data.ts';
import type { HttpRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Who is calling, from what API Gateway or Lambda has verified: the first of the subject of a JWT with its issuer, an
 * IAM principal, the principal of a Lambda authorizer, the id of an API key, a client certificate.
 *
 * Never from a header, a raw token or an address: what the caller can choose cannot keep callers apart.
 *
 * @returns `undefined` when none of these is there
 */
export function verifiedIdentity({ requestContext }: HttpRequest): readonly string[] | undefined {
  const authorizer = fields(requestContext['authorizer']);
  const identity = fields(requestContext['identity']);
  return (
    tokenSubject(fields(fields(authorizer['jwt'])['claims'])) ??
    // A Cognito authorizer of format 1.0. A Lambda authorizer may put anything there, but has no issuer to put.
    (isText(fields(authorizer['claims'])['iss']) ? tokenSubject(fields(authorizer['claims'])) : undefined) ??
    iamPrincipal(fields(authorizer['iam'])) ??
    iamPrincipal(identity) ??
    authorizerPrincipal(requestContext, authorizer, identity) ??
    apiKey(identity) ??
    clientCertificate(fields(identity['clientCert'])) ??
    clientCertificate(fields(fields(requestContext['authentication'])['clientCert']))
  );
}

/**
 * Whether somebody has been verified, in a shape that `verifiedIdentity` may or may not be able to read. Two such callers
 * must not be taken for the same nobody.
 */
export function isAuthenticated(request: HttpRequest): boolean {
  // An ALB says it in headers. Anybody could send them, and be refused for it.
  if (request.shape === 'alb' && ALB_IDENTITY_HEADERS.some((name) => request.header(name).length > 0)) return true;
  const { authorizer, identity, authentication } = request.requestContext;
  // Lambda authorizers may say nothing of whom they admit: `null` then is all that an HTTP API hands on.
  if ('lambda' in fields(authorizer)) return true;
  const { userArn, caller, apiKeyId, clientCert, cognitoIdentityId } = fields(identity);
  const evidence = [
    ...Object.values(fields(authorizer)),
    userArn,
    caller,
    apiKeyId,
    clientCert,
    cognitoIdentityId,
    authentication,
  ];
  return evidence.some((one) => (one ?? null) !== null);
}

const ALB_IDENTITY_HEADERS = [
  'x-amzn-oidc-identity',
  'x-amzn-oidc-data',
  'x-amzn-oidc-accesstoken',
  'x-amzn-mtls-clientcert',
  'x-amzn-mtls-clientcert-leaf',
  'x-amzn-mtls-clientcert-serial-number',
];

/** A subject is unique within its issuer only (RFC 7519, section 4.1.2). */
function tokenSubject({ iss, sub }: Fields): readonly string[] | undefined {
  if (!isText(sub)) return undefined;
  return isText(iss) ? ['jwt', iss, sub] : ['jwt', sub];
}

/**
 * The identity id of a Cognito identity pool, whose users share a role; else the ARN, which stays the same when
 * credentials are renewed, other than the access key. That of an assumed role contains the session's name.
 */
function iamPrincipal(iam: Fields): readonly string[] | undefined {
  const cognito = iam['cognitoIdentityId'] ?? fields(iam['cognitoIdentity'])['identityId'];
  if (isText(cognito)) return ['cognito', cognito];
  return isText(iam['userArn']) ? ['iam', iam['userArn']] : undefined;
}

/** Unique within its API at most, and some authorizers say the same of everybody: the API key is more to tell them by. */
function authorizerPrincipal(context: Fields, authorizer: Fields, identity: Fields): readonly string[] | undefined {
  const principal = authorizer['principalId'] ?? fields(authorizer['lambda'])['principalId'];
  if (!isText(principal) && typeof principal !== 'number') return undefined;
  return ['authorizer', ...texts(context['apiId']), String(principal), ...texts(identity['apiKeyId'])];
}

function apiKey(identity: Fields): readonly string[] | undefined {
  return isText(identity['apiKeyId']) ? ['api-key', identity['apiKeyId']] : undefined;
}

/** A serial number is unique within its issuer (RFC 5280, section 4.1.2.2). */
function clientCertificate({ issuerDN, serialNumber }: Fields): readonly string[] | undefined {
  return isText(issuerDN) && isText(serialNumber) ? ['certificate', issuerDN, serialNumber] : undefined;
}

function texts(value: unknown): readonly string[] {
  return isText(value) ? [value] : [];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
