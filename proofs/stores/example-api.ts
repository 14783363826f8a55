import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type pg from 'pg';
import { createPaymentsHandler } from '../../infra/payments/api.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import { postgresPayments } from '../../infra/payments/postgres-payments.ts';
import { recordId } from '../../src/operator/index.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { createContext } from '../../tools/context.ts';

export interface ApiRequest {
  readonly path: string;
  readonly key: string;
  readonly body: object;
}

export interface ApiAnswer {
  readonly statusCode?: number;
  readonly body?: string;
}

/** The payments function of the example, on these connections. */
export function exampleApi(pool: pg.Pool): (request: ApiRequest) => Promise<ApiAnswer> {
  const handler = createPaymentsHandler({
    store: postgresStore({ client: pool }),
    payments: postgresPayments(pool),
    processor: fakeProcessor(),
    scope: 'anonymous',
    onEvent: () => undefined,
  });
  return async (request) => {
    const context = createContext(randomUUID(), { functionName: 'payments', timeoutMillis: 30_000 });
    const { statusCode, body } = await handler(eventOf(request), context);
    return { ...(statusCode !== undefined && { statusCode }), ...(body !== undefined && { body }) };
  };
}

/** The id of the request's record. */
export function recordIdOf(request: ApiRequest): string | undefined {
  const operation = request.path === '/payments' ? 'create-payment' : 'create-refund';
  return recordId({ operation, http: { scope: 'anonymous' }, event: eventOf(request) });
}

/** Payload format 2.0. */
function eventOf({ path, key, body }: ApiRequest): APIGatewayProxyEventV2 {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    requestContext: {
      accountId: '000000000000',
      apiId: 'api',
      domainName: 'api.example',
      domainPrefix: 'api',
      http: { method: 'POST', path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'payer' },
      requestId: randomUUID(),
      routeKey: '$default',
      stage: '$default',
      time: '25/Nov/2026:12:00:00 +0000',
      timeEpoch: 1_795_600_000_000,
    },
    body: JSON.stringify(body),
    isBase64Encoded: false,
  };
}
