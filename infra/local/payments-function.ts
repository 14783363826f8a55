import type { IdempotencyEvent } from 'middy-idempotency';
import { createPaymentsHandler } from '../payments/api.ts';
import type { FakeProcessor } from '../payments/fake-processor.ts';
import type { Backend } from './backend.ts';
import type { LambdaFunction } from './server.ts';

export interface LocalPaymentsOptions<Item> extends Pick<Backend<Item>, 'store' | 'payments'> {
  readonly processor: FakeProcessor;
  readonly onEvent: (event: IdempotencyEvent) => void;
  /** Gets the processor's count of charges after every request that is not a GET, replayed ones included. @default none */
  readonly onCharges?: (charges: number) => void;
}

/** The example Lambda on a database of this machine, in this process. */
export function createLocalPayments<Item>(options: LocalPaymentsOptions<Item>): LambdaFunction {
  const { store, payments, processor, onEvent, onCharges } = options;
  const handler = createPaymentsHandler({
    store,
    payments,
    processor,
    // There is no authorizer on this machine: all callers are one.
    scope: 'anonymous',
    onEvent,
  });
  return async (event, context) => {
    const response = await handler(event, context);
    if (event.requestContext.http.method !== 'GET') onCharges?.(processor.charges);
    return response;
  };
}
