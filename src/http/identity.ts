import { isObject } from '../json.ts';
import { fields } from '../request-key/data.ts';
import type { HttpRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

/** One kind of evidence for who is calling. */
interface Evidence {
  /** Whether the gateway has it at all, with a name or without. */
  readonly isThere: boolean;
  readonly caller: readonly string[] | undefined;
}

/**
 * Who is calling, from the evidence that API Gateway or Lambda has verified. In this order: JWT subject with issuer, IAM
 * principal, principal of a Lambda authorizer, API key id, client certificate.
 *
 * The first evidence that is there decides. Where it names no caller, there is no identity: many callers may have the
 * API key or the certificate that comes next. Never from a header, a raw token or an address: the caller can choose them.
 *
 * @returns `undefined` when none of these is there, or the first that is there names no caller
 */
export function verifiedIdentity(request: HttpRequest): readonly string[] | undefined {
  return evidenceOf(request).find(({ isThere }) => isThere)?.caller;
}

/** Whether the gateway has admitted a caller by any evidence. One without a name is not anonymous. */
export function isAuthenticated(request: HttpRequest): boolean {
  // An ALB says it in headers. Any caller can send them, and is refused for it.
  if (request.shape === 'alb' && ALB_IDENTITY_HEADERS.some((name) => request.header(name).length > 0)) return true;
  return evidenceOf(request).some(({ isThere }) => isThere);
}

/** The strongest first. */
function evidenceOf({ requestContext }: HttpRequest): readonly Evidence[] {
  const { authorizer, identity, authentication } = requestContext;
  const { jwt, claims, iam } = fields(authorizer);
  const { userArn, caller, cognitoIdentityId, cognitoIdentityPoolId, apiKeyId, clientCert } = fields(identity);
  return [
    // A Lambda authorizer of a REST API may use these names, too, but only for text.
    { isThere: isObject(jwt), caller: tokenSubject(fields(fields(jwt)['claims'])) },
    // A Cognito authorizer of format 1.0. A Lambda authorizer may put anything there, but has no issuer to put.
    { isThere: isText(fields(claims)['iss']), caller: tokenSubject(fields(claims)) },
    { isThere: isObject(iam), caller: iamPrincipal(fields(iam)) },
    {
      isThere: isAnyGiven([userArn, caller, cognitoIdentityId, cognitoIdentityPoolId]),
      caller: iamPrincipal(fields(identity)),
    },
    {
      // A Lambda authorizer may say nothing of the caller: `null` then is all that an HTTP API hands on.
      isThere: 'lambda' in fields(authorizer) || isAnyGiven(Object.values(fields(authorizer))),
      caller: authorizerPrincipal(requestContext, fields(authorizer), fields(identity)),
    },
    { isThere: isAnyGiven([apiKeyId]), caller: isText(apiKeyId) ? ['api-key', apiKeyId] : undefined },
    { isThere: isAnyGiven([clientCert]), caller: clientCertificate(fields(clientCert)) },
    { isThere: isAnyGiven([authentication]), caller: clientCertificate(fields(fields(authentication)['clientCert'])) },
  ];
}

function isAnyGiven(values: readonly unknown[]): boolean {
  return values.some((value) => (value ?? null) !== null);
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

/** The session that a Cognito identity pool opens for each of its users, with a role that they share. */
const SHARED_SESSION = /:assumed-role\/[^/]+\/CognitoIdentityCredentials$/;

/**
 * The identity id, for a user of a Cognito identity pool. Else the ARN. That of an IAM user stays the same when access keys
 * are rotated. That of an assumed role ends in the session's name: renewed credentials have the same ARN only if the session
 * has a fixed name. The SDKs' default name contains the time. The name is not left out: callers may share a role, one
 * session each (API reference of AssumeRole, "RoleSessionName").
 */
function iamPrincipal(iam: Fields): readonly string[] | undefined {
  const pool = fields(iam['cognitoIdentity']);
  const user = iam['cognitoIdentityId'] ?? pool['identityId'];
  if (isText(user)) return ['cognito', user];
  const arn = iam['userArn'];
  const isOfPool = isAnyGiven([iam['cognitoIdentity'], iam['cognitoIdentityPoolId']]);
  return isText(arn) && !isOfPool && !SHARED_SESSION.test(arn) ? ['iam', arn] : undefined;
}

/** Unique within its API at most, and some authorizers say the same of everybody: the API key is more to tell them by. */
function authorizerPrincipal(context: Fields, authorizer: Fields, identity: Fields): readonly string[] | undefined {
  const principal = authorizer['principalId'] ?? fields(authorizer['lambda'])['principalId'];
  if (!isText(principal) && typeof principal !== 'number') return undefined;
  return ['authorizer', ...texts(context['apiId']), String(principal), ...texts(identity['apiKeyId'])];
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
