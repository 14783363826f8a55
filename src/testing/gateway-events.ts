import type { ALBEvent, APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda';

/** An HTTP request, as a client sends it. */
export interface HttpRequest {
  /** @default 'POST' */
  readonly method?: string;
  /** @default '/' */
  readonly path?: string;
  /** @default `content-type: application/json` where `body` is no text */
  readonly headers?: Readonly<Record<string, string>>;
  /** @default none */
  readonly query?: Readonly<Record<string, string>>;
  /** A text as it is, anything else as JSON. @default no body */
  readonly body?: unknown;
  /** What an authorizer has found out, in the shape of its kind: `{ jwt: { claims } }`. @default none */
  readonly authorizer?: object;
}

interface ReadRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly query: Record<string, string> | undefined;
  readonly body: string | undefined;
  readonly authorizer: object | undefined;
}

const STARTED_AT = 1_767_225_600_000;
const ACCOUNT = '123456789012';

/** An event of an API Gateway HTTP API, payload format 2.0 ("AWS Lambda proxy integrations for HTTP APIs"). */
export function apiGatewayV2Event(request: HttpRequest = {}): APIGatewayProxyEventV2 {
  return v2(request, 'api.execute-api.eu-central-1.amazonaws.com');
}

/** An event of a Lambda Function URL ("Invoking Lambda function URLs"): format 2.0, with another domain. */
export function functionUrlEvent(request: HttpRequest = {}): APIGatewayProxyEventV2 {
  return v2(request, 'url.lambda-url.eu-central-1.on.aws');
}

function v2(request: HttpRequest, domainName: string): APIGatewayProxyEventV2 {
  const { method, path, headers, query, body, authorizer } = read(request);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: new URLSearchParams(query).toString(),
    // Format 2.0 has the names of headers in lower case.
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    ...(query !== undefined && { queryStringParameters: query }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'api',
      domainName,
      domainPrefix: domainName.slice(0, domainName.indexOf('.')),
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
      requestId: 'request',
      routeKey: '$default',
      stage: '$default',
      time: '01/Jan/2026:00:00:00 +0000',
      timeEpoch: STARTED_AT,
      ...(authorizer !== undefined && { authorizer }),
    },
    ...(body !== undefined && { body }),
    isBase64Encoded: false,
  };
}

/** An event of an API Gateway REST API, format 1.0 ("Lambda proxy integrations in API Gateway"). */
export function apiGatewayV1Event(request: HttpRequest = {}): APIGatewayProxyEvent {
  const { method, path, headers, query, body, authorizer } = read(request);
  return {
    resource: '/{proxy+}',
    path,
    httpMethod: method,
    headers,
    multiValueHeaders: lists(headers),
    queryStringParameters: query ?? null,
    multiValueQueryStringParameters: query === undefined ? null : lists(query),
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      accountId: ACCOUNT,
      apiId: 'api',
      authorizer: (authorizer as Record<string, unknown> | undefined) ?? null,
      protocol: 'HTTP/1.1',
      httpMethod: method,
      identity: { ...NO_IDENTITY, sourceIp: '192.0.2.1', userAgent: 'test' },
      path: `/prod${path}`,
      stage: 'prod',
      requestId: 'request',
      requestTimeEpoch: STARTED_AT,
      resourceId: 'resource',
      resourcePath: '/{proxy+}',
    },
    body: body ?? null,
    isBase64Encoded: false,
  };
}

/** An event of an Application Load Balancer ("Using AWS Lambda with an Application Load Balancer"). */
export function albEvent(request: HttpRequest = {}): ALBEvent {
  const { method, path, headers, query = {}, body = '' } = read(request);
  const targetGroupArn = `arn:aws:elasticloadbalancing:eu-central-1:${ACCOUNT}:targetgroup/function/1`;
  return {
    requestContext: { elb: { targetGroupArn } },
    httpMethod: method,
    path,
    headers,
    queryStringParameters: query,
    body,
    isBase64Encoded: false,
  };
}

function read({ method = 'POST', path = '/', headers = {}, query, body, authorizer }: HttpRequest): ReadRequest {
  const isText = body === undefined || typeof body === 'string';
  return {
    method,
    path,
    headers: { ...(!isText && { 'content-type': 'application/json' }), ...headers },
    query: query && { ...query },
    body: isText ? body : JSON.stringify(body),
    authorizer,
  };
}

function lists(values: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]]));
}

const NO_IDENTITY = {
  accessKey: null,
  accountId: null,
  apiKey: null,
  apiKeyId: null,
  caller: null,
  clientCert: null,
  cognitoAuthenticationProvider: null,
  cognitoAuthenticationType: null,
  cognitoIdentityId: null,
  cognitoIdentityPoolId: null,
  principalOrgId: null,
  user: null,
  userArn: null,
} as const;
