import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { IdempotencyContext, IdempotencyHandle } from 'middy-idempotency';

/**
 * A handler behind `httpIdempotency`: the handle is there when the request had a key. `Item` is one write of the store's
 * transactions.
 */
export type GuardedHandler<Item = never> = (
  event: APIGatewayProxyEventV2,
  context: IdempotencyContext<Item>,
  options?: { readonly signal?: AbortSignal },
) => Promise<APIGatewayProxyStructuredResultV2>;

/** Where a key is required: without the guard, a payment must not be made. @throws Error */
export function requireHandle<Item>(handle: IdempotencyHandle<Item> | undefined): IdempotencyHandle<Item> {
  if (handle === undefined) throw new Error('This handler must run behind httpIdempotency with `required: true`.');
  return handle;
}

/** The payment's id: the router's only parameter. */
export function paymentId({ pathParameters }: APIGatewayProxyEventV2): string {
  return pathParameters?.['id'] ?? '';
}
