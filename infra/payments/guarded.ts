import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { IdempotencyContext, IdempotencyHandle } from 'middy-idempotency';
import type { TransactionItem } from 'middy-idempotency/dynamodb';

/** What a handler has of its own execution, with transactions in DynamoDB. */
export type Handle = IdempotencyHandle<TransactionItem>;

/** A handler behind `httpIdempotency`: the handle is there when the request had a key. */
export type GuardedHandler = (
  event: APIGatewayProxyEventV2,
  context: IdempotencyContext<TransactionItem>,
  options?: { readonly signal?: AbortSignal },
) => Promise<APIGatewayProxyStructuredResultV2>;

/** Where a key is required: without the guard, a payment must not be made. @throws Error */
export function requireHandle(handle: Handle | undefined): Handle {
  if (handle === undefined) throw new Error('This handler must run behind httpIdempotency with `required: true`.');
  return handle;
}

/** The payment's id: the router's only parameter. */
export function paymentId({ pathParameters }: APIGatewayProxyEventV2): string {
  return pathParameters?.['id'] ?? '';
}
