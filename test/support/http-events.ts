import { STATUS_CODES } from 'node:http';
import { expect } from 'vitest';

export interface TestRequest {
  readonly method?: string;
  readonly path?: string;
  /** Name and value, in order; a name may come twice. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: string | undefined;
  readonly base64?: boolean;
  /** What the gateway has verified: the `authorizer` of the request context. */
  readonly authorizer?: object;
  /** Format 1.0 only: the `identity` of the request context. */
  readonly identity?: object;
  /** Format 2.0 only: the `authentication` of the request context. */
  readonly authentication?: object;
}

export interface TestResponse {
  readonly statusCode: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Shape {
  readonly name: string;
  event(request: TestRequest): Record<string, unknown>;
  /** Reads the response as the gateway does, and fails where it would refuse it. */
  read(response: unknown): TestResponse;
}

/** The four sources, and the two ways of ALB. */
export const SHAPES: readonly Shape[] = [
  { name: 'API Gateway REST (v1)', event: (request) => v1(request), read: (response) => read(response, 'single') },
  {
    name: 'HTTP API (v2)',
    event: (request) => v2(request),
    read: (response) => read(unwrapV2(sent(response)), 'single'),
  },
  {
    name: 'Function URL',
    event: (request) => ({
      ...v2(request),
      requestContext: { ...v2(request).requestContext, domainName: 'x.lambda-url.eu-central-1.on.aws' },
    }),
    read: (response) => read(unwrapV2(sent(response)), 'single'),
  },
  { name: 'ALB', event: (request) => alb(request, false), read: (response) => read(response, 'single') },
  {
    name: 'ALB with multi-value headers',
    event: (request) => alb(request, true),
    read: (response) => read(response, 'multiple'),
  },
];

function v1({
  method = 'POST',
  path = '/payments',
  headers = [],
  query = [],
  body,
  base64,
  authorizer,
  identity,
}: TestRequest) {
  return {
    version: '1.0',
    resource: '/{proxy+}',
    httpMethod: method,
    path,
    headers: Object.fromEntries(headers),
    multiValueHeaders: lists(headers),
    queryStringParameters: query.length === 0 ? null : Object.fromEntries(query),
    multiValueQueryStringParameters: query.length === 0 ? null : lists(query),
    pathParameters: null,
    stageVariables: null,
    requestContext: {
      stage: 'prod',
      path: `/prod${path}`,
      identity: { sourceIp: '127.0.0.1', ...identity },
      ...(authorizer && { authorizer }),
    },
    ...encoded(body, base64, null),
  };
}

function v2({
  method = 'POST',
  path = '/payments',
  headers = [],
  query = [],
  body,
  base64,
  authorizer,
  authentication,
}: TestRequest) {
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value])).toString();
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: search,
    headers: Object.fromEntries(
      Object.entries(lists(headers.map(([name, value]) => [name.toLowerCase(), value]))).map(([name, values]) => [
        name,
        values.join(','),
      ]),
    ),
    requestContext: {
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      stage: '$default',
      ...(authorizer && { authorizer }),
      ...(authentication && { authentication }),
    },
    ...encoded(body, base64, undefined),
  };
}

function alb(
  { method = 'POST', path = '/payments', headers = [], query = [], body, base64 }: TestRequest,
  multiple: boolean,
) {
  return {
    httpMethod: method,
    path,
    ...(multiple
      ? { multiValueHeaders: lists(headers), multiValueQueryStringParameters: lists(query) }
      : { headers: Object.fromEntries(headers), queryStringParameters: Object.fromEntries(query) }),
    requestContext: {
      elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/t/1' },
    },
    ...encoded(body, base64, ''),
  };
}

function encoded(body: string | undefined, base64 = false, absent: null | undefined | '') {
  if (body === undefined) return { ...(absent !== undefined && { body: absent }), isBase64Encoded: false };
  return { body: base64 ? Buffer.from(body).toString('base64') : body, isBase64Encoded: base64 };
}

function lists(pairs: readonly (readonly [string, string])[]): Record<string, string[]> {
  const all = new Map<string, string[]>();
  for (const [name, value] of pairs) all.set(name, [...(all.get(name) ?? []), value]);
  return Object.fromEntries(all);
}

/** Lambda sends the response as JSON, and nothing at all as null. */
function sent(response: unknown): unknown {
  return JSON.parse(JSON.stringify(response ?? null));
}

/** A value without statusCode is the JSON body of a 200. */
function unwrapV2(response: unknown): unknown {
  if (typeof response === 'object' && response !== null && 'statusCode' in response) return response;
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: typeof response === 'string' ? response : JSON.stringify(response),
  };
}

function read(response: unknown, kind: 'single' | 'multiple'): TestResponse {
  const sent = JSON.parse(JSON.stringify(response));
  expect(sent).toBeTypeOf('object');
  expect(STATUS_CODES).toHaveProperty(String(sent.statusCode));
  expect(typeof (sent.body ?? '')).toBe('string');
  if (kind === 'multiple') expect(sent).not.toHaveProperty('headers');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(sent.headers ?? {})) {
    expect(typeof value).toBe('string');
    headers[name.toLowerCase()] = value as string;
  }
  for (const [name, values] of Object.entries(sent.multiValueHeaders ?? {})) {
    expect(Array.isArray(values)).toBe(true);
    headers[name.toLowerCase()] = (values as string[]).join(', ');
  }
  if (Array.isArray(sent.cookies)) headers['set-cookie'] = sent.cookies.join(', ');
  const body = sent.isBase64Encoded ? Buffer.from(sent.body ?? '', 'base64').toString() : (sent.body ?? '');
  return { statusCode: sent.statusCode, headers, body };
}
