import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createContext } from '../../infra/local/context.ts';
import type { HttpHandler } from '../../infra/payments/router.ts';

export const PAYMENT = { amount: 1999, currency: 'EUR', source: 'tok_visa' };

export interface TestRequest {
  readonly method?: string;
  readonly path?: string;
  readonly key?: string;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly isBase64Encoded?: boolean;
}

/** A request as API Gateway hands it on, payload format 2.0. */
export function httpEvent({
  method = 'POST',
  path = '/payments',
  key,
  body = PAYMENT,
  isBase64Encoded = false,
}: TestRequest): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
    requestContext: {
      accountId: '123456789012',
      apiId: 'api-id',
      domainName: 'id.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'id',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'request-id',
      routeKey: '$default',
      stage: '$default',
      time: '22/Nov/2026:11:16:52 +0000',
      timeEpoch: 1_795_346_212_000,
    },
    ...(method === 'POST' && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded,
  };
}

/** Sends requests to the handler, each with an invocation context of its own. */
export function client(handler: HttpHandler) {
  return (request: TestRequest): Promise<APIGatewayProxyStructuredResultV2> =>
    handler(httpEvent(request), createContext('request-id', { functionName: 'payments', timeoutMillis: 10_000 }));
}

export function bodyOf(response: APIGatewayProxyStructuredResultV2): Record<string, unknown> {
  return JSON.parse(response.body ?? '');
}
