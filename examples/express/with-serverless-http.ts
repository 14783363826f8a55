import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import type { IdempotencyContext, IdempotencyHandle, RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import serverless from 'serverless-http';
import { ORIGIN, paymentsApp } from './app.ts';

interface GuardedRequest {
  idempotency?: IdempotencyHandle | undefined;
}

/** The guard is around the app. `serverless-http` hands the context of Lambda on to the request. */
export function expressByServerlessHttp(store: RecordStore, charge: Parameters<typeof paymentsApp>[1]) {
  const app = paymentsApp((request) => (request as GuardedRequest).idempotency, charge);
  const serve = serverless(app, {
    request(request: GuardedRequest, _event: unknown, context: IdempotencyContext) {
      request.idempotency = context.idempotency;
    },
  });
  return middy<APIGatewayProxyEventV2, object>()
    .use(
      httpIdempotency<APIGatewayProxyEventV2>({
        store,
        operation: 'create-payment',
        problemHeaders: () => ({ 'Access-Control-Allow-Origin': ORIGIN }),
      }),
    )
    .handler(serve);
}
