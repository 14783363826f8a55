import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { IdempotencyEvent, RecordStore } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import { createPayment, type PaymentDependencies } from './create-payment.ts';
import { createRefund } from './create-refund.ts';
import { getPayment } from './get-payment.ts';
import type { GuardedHandler } from './guarded.ts';
import { patchPayment } from './patch-payment.ts';
import { problemErrors } from './problem-errors.ts';
import { PROBLEM_BASE_URI } from './problems.ts';
import { putPayment } from './put-payment.ts';
import { type HttpHandler, type Route, router } from './router.ts';
import { voidPayment } from './void-payment.ts';

/**
 * Whose keys are kept apart. `'verified'`: those of the callers that an authorizer has verified; a
 * request without one is refused. `'anonymous'` admits such a request, too: they all share one
 * space of keys.
 */
export type PaymentsScope = 'verified' | 'anonymous';

export interface PaymentsOptions<Item> extends PaymentDependencies<Item> {
  /** Where the idempotency records live: in the database of the payments, for their transactions. */
  readonly store: RecordStore<Item>;
  /** @default 'verified' */
  readonly scope?: PaymentsScope;
  /** Called for everything that happens to an idempotency record. @default none */
  readonly onEvent?: (event: IdempotencyEvent) => void;
}

/**
 * How long a client may retry: longer than a weekend, so that an operator can still look at what
 * went wrong on Friday.
 */
const RETENTION_SECONDS = 7 * 24 * 3600;

/**
 * The payments API of `openapi.json`. It keeps the keys of its callers apart, not their payments:
 * an authorizer decides who may see and change which payment.
 */
export function createPaymentsHandler<Item>(options: PaymentsOptions<Item>): HttpHandler {
  return router(paymentsRoutes(options));
}

/**
 * A key is required where a repetition would move money again. PUT, PATCH and DELETE are safe to
 * repeat by their preconditions. A key may come with them: a retry then gets the first answer
 * before the preconditions are evaluated.
 */
export function paymentsRoutes<Item>({
  store,
  scope = 'verified',
  onEvent,
  ...dependencies
}: PaymentsOptions<Item>): Route[] {
  const { payments } = dependencies;
  const guard = (operation: string, methods: readonly string[], required: boolean, handler: GuardedHandler<Item>) =>
    middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
      .use(
        httpIdempotency<APIGatewayProxyEventV2, Item>({
          store,
          operation,
          methods,
          required,
          retentionSeconds: RETENTION_SECONDS,
          problemBaseUri: PROBLEM_BASE_URI,
          describedBy: `${PROBLEM_BASE_URI}idempotency`,
          ...(scope === 'anonymous' && { scope }),
          ...(onEvent !== undefined && { onEvent, warnings: false }),
        }),
      )
      .use(problemErrors())
      .handler(handler);
  const get = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
    .use(problemErrors())
    .handler(getPayment(payments));
  const one = '/payments/{id}';

  return [
    {
      method: 'POST',
      path: '/payments',
      handler: guard('create-payment', ['POST'], true, createPayment(dependencies)),
    },
    { method: 'GET', path: one, handler: get },
    { method: 'PUT', path: one, handler: guard('put-payment', ['PUT'], false, putPayment(dependencies)) },
    { method: 'PATCH', path: one, handler: guard('patch-payment', ['PATCH'], false, patchPayment(payments)) },
    { method: 'DELETE', path: one, handler: guard('void-payment', ['DELETE'], false, voidPayment(dependencies)) },
    {
      method: 'POST',
      path: '/payments/{id}/refunds',
      handler: guard('create-refund', ['POST'], true, createRefund(dependencies)),
    },
  ];
}
