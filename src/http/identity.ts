import type { HttpRequest } from './request.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * Who is calling, from what API Gateway or Lambda has verified: the first of the subject of a JWT with its issuer, an
 * IAM principal, the principal of a Lambda authorizer, the id of an API key.
 *
 * Never from a header, a raw token or an address: what the caller can choose cannot keep callers apart.
 *
 * @returns `undefined` when nobody has been verified
 */
export function verifiedIdentity({ requestContext }: HttpRequest): readonly string[] | undefined {
  const authorizer = fields(requestContext['authorizer']);
  const identity = fields(requestContext['identity']);
  return (
    // Format 2.0 has the claims under `jwt`, a Cognito authorizer of format 1.0 under the authorizer itself.
    subject(fields(fields(authorizer['jwt'])['claims'])) ??
    subject(fields(authorizer['claims'])) ??
    principal(fields(authorizer['iam'])) ??
    principal(identity) ??
    named('authorizer', authorizer['principalId'] ?? fields(authorizer['lambda'])['principalId']) ??
    named('api-key', identity['apiKeyId'])
  );
}

/** A subject is unique within its issuer only (RFC 7519, section 4.1.2). */
function subject({ iss, sub }: Fields): readonly string[] | undefined {
  if (!isText(sub)) return undefined;
  return isText(iss) ? ['jwt', iss, sub] : ['jwt', sub];
}

/**
 * The ARN stays the same when credentials are renewed, the access key does not. All users of a Cognito identity pool
 * share the ARN of the pool's role, so that their identity id belongs to it.
 */
function principal(iam: Fields): readonly string[] | undefined {
  const arn = iam['userArn'];
  if (!isText(arn)) return undefined;
  const cognito = iam['cognitoIdentityId'] ?? fields(iam['cognitoIdentity'])['identityId'];
  return isText(cognito) ? ['iam', arn, cognito] : ['iam', arn];
}

function named(kind: string, value: unknown): readonly string[] | undefined {
  return isText(value) ? [kind, value] : undefined;
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
