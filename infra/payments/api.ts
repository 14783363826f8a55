import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import {
  type IdempotencyContext,
  type IdempotencyEvent,
  idempotency,
  type Outcome,
  type RecordStore,
  type Settlement,
} from 'middy-idempotency';
import { type CreatePaymentDependencies, createPayment } from './create-payment.ts';
import { getPayment } from './get-payment.ts';
import { jsonErrors } from './json-errors.ts';
import { type HttpHandler, router } from './router.ts';

export interface PaymentsDependencies extends CreatePaymentDependencies {
  /** Where the idempotency records live. */
  readonly store: RecordStore;
  /** Called for everything that happens to an idempotency record. @default none */
  readonly onEvent?: (event: IdempotencyEvent) => void;
}

/** The payments API: `POST /payments`, safe to retry, and `GET /payments/{id}`. */
export function createPaymentsHandler({ store, payments, processor, onEvent }: PaymentsDependencies): HttpHandler {
  const create = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(
      idempotency<APIGatewayProxyEventV2>({
        store,
        operation: 'create-payment',
        // Every caller of this API shares one space of keys. With an authorizer, add its subject as the `scope`.
        key: 'headers."idempotency-key"',
        fingerprint: '[requestContext.http.method, rawPath, body]',
        settle,
        ...(onEvent !== undefined && { onEvent }),
      }),
    )
    .use(jsonErrors())
    .handler(createPayment({ payments, processor }));
  const get = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(jsonErrors())
    .handler(getPayment(payments));

  return router([
    // Middy's type wants of the caller what the middleware adds to the context.
    { method: 'POST', path: /^\/payments$/, handler: (event, context) => create(event, context as IdempotencyContext) },
    { method: 'GET', path: /^\/payments\/[0-9a-f-]{36}$/, handler: get },
  ]);
}

/** A failure that a retry can mend must not be replayed for a day. A verdict (201, 400, 402) must. */
function settle(outcome: Outcome): Settlement {
  if (outcome.kind === 'threw') return 'release';
  const { statusCode = 200 } = outcome.value as APIGatewayProxyStructuredResultV2;
  return statusCode >= 500 || statusCode === 429 ? 'release' : 'store';
}
