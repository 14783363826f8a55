import { configure, getCurrentInvoke } from '@codegenie/serverless-express';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyResult } from 'aws-lambda';
import type { RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { ORIGIN, paymentsApp } from './app.ts';

/** The guard is around the app. Lambda serves one request at a time, so the current invocation is that of the request. */
export function expressByServerlessExpress(store: RecordStore, charge: Parameters<typeof paymentsApp>[1]) {
  const app = paymentsApp(() => getCurrentInvoke().context?.idempotency, charge);
  const serve = configure<APIGatewayProxyEventV2, APIGatewayProxyResult>({ app });
  return (
    middy<APIGatewayProxyEventV2, APIGatewayProxyResult>()
      .use(
        httpIdempotency<APIGatewayProxyEventV2>({
          store,
          operation: 'create-payment',
          problemHeaders: () => ({ 'Access-Control-Allow-Origin': ORIGIN }),
        }),
      )
      // Its third parameter is a callback of old Lambda. It answers with a promise.
      .handler((event, context) => serve(event, context, () => undefined) as Promise<APIGatewayProxyResult>)
  );
}
