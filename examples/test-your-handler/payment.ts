import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { GuardedContext } from 'middy-idempotency';
import { httpIdempotency } from 'middy-idempotency/http';
import type { Order, Ports } from './ports.ts';

export type Payment = middy.MiddyfiedHandler<
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Error,
  GuardedContext<Order>
>;

/** A payment that is safe to retry: the charge has a derived key, and so has the receipt. */
export function payment({ store, processor, receipts }: Ports): Payment {
  return middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Error, GuardedContext<Order>>()
    .use(httpIdempotency({ store, operation: 'pay', scope: 'anonymous' }))
    .handler(async ({ body = '' }, { idempotency: { deriveKey, step } }) => {
      const order: Order = JSON.parse(body);
      const charge = await step('charge', () => processor.charge(order, deriveKey('charge')));
      await receipts.send(order, deriveKey('receipt'));
      return { statusCode: 201, body: JSON.stringify(charge) };
    });
}
