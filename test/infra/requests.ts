import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { expect } from 'vitest';
import { PROBLEM_BASE_URI } from '../../infra/payments/problems.ts';
import type { HttpHandler } from '../../infra/payments/router.ts';
import { createContext } from '../../tools/context.ts';
import { bodyViolations, operationOf, problemSchema, undeclared } from './support/openapi.ts';

export const PAYMENT = { amount: 1999, currency: 'EUR', source: 'tok_visa' };

export interface TestRequest {
  readonly method?: string;
  readonly path?: string;
  readonly key?: string;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
  /** The claims of a JWT that an authorizer has verified. */
  readonly claims?: Readonly<Record<string, string>>;
}

/** A request as API Gateway hands it on, payload format 2.0. */
export function httpEvent({
  method = 'POST',
  path = '/payments',
  key,
  headers = {},
  body = method === 'POST' && path === '/payments' ? PAYMENT : undefined,
  isBase64Encoded = false,
  claims,
}: TestRequest): APIGatewayProxyEventV2 {
  const requestContext = {
    accountId: '123456789012',
    apiId: 'api-id',
    ...(claims !== undefined && { authorizer: { jwt: { claims, scopes: [] } } }),
    domainName: 'id.execute-api.eu-central-1.amazonaws.com',
    domainPrefix: 'id',
    http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
    requestId: 'request-id',
    routeKey: '$default',
    stage: '$default',
    time: '22/Nov/2026:11:16:52 +0000',
    timeEpoch: 1_795_346_212_000,
  };
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
      ...headers,
    },
    requestContext,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded,
  };
}

export type Send = (request: TestRequest) => Promise<APIGatewayProxyStructuredResultV2>;

/**
 * Sends requests to the handler, each with an invocation context of its own, and holds every answer to the OpenAPI
 * document.
 */
export function client(handler: HttpHandler): Send {
  return async (request) => {
    const event = httpEvent(request);
    const answer = await handler(
      event,
      createContext(randomUUID(), { functionName: 'payments', timeoutMillis: 10_000 }),
    );
    const operation = operationOf(event.requestContext.http.method, event.rawPath);
    // What the document does not list is a problem, too, as it says.
    const wrong = operation ? undeclared(operation, answer) : bodyViolations(problemSchema, bodyOf(answer));
    expect(wrong, 'what openapi.json does not declare').toEqual([]);
    return answer;
  };
}

export function bodyOf(response: APIGatewayProxyStructuredResultV2): Record<string, unknown> {
  return JSON.parse(response.body ?? '');
}

/** A header of the response, whatever the case of its name. */
export function headerOf(response: APIGatewayProxyStructuredResultV2, name: string): string | undefined {
  const found = Object.entries(response.headers ?? {}).find(([candidate]) => candidate.toLowerCase() === name);
  return found === undefined ? undefined : String(found[1]);
}

/** Status and name of a problem, such as `409 in-flight`; status alone for everything else. */
export function verdictOf(response: APIGatewayProxyStructuredResultV2): string {
  if (headerOf(response, 'content-type') !== 'application/problem+json') return String(response.statusCode);
  const { type, status } = bodyOf(response);
  expect(status).toBe(response.statusCode);
  expect(type).toContain(PROBLEM_BASE_URI);
  return `${status} ${String(type).slice(PROBLEM_BASE_URI.length)}`;
}
