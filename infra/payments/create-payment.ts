import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { IdempotencyContext } from 'middy-idempotency';
import { logLine } from './log.ts';
import { parsePaymentRequest } from './payment-request.ts';
import type { Payment, Payments } from './payments.ts';
import { type Charge, type Processor, ProcessorUnreachableError } from './processor.ts';
import { failure, json } from './responses.ts';

export interface CreatePaymentDependencies {
  readonly payments: Payments;
  readonly processor: Processor;
}

/**
 * `POST /payments`: charges the card and stores the payment. Guarded by the idempotency middleware.
 *
 * Both effects are the same on every attempt of a request. A process that dies between them, or before its response is
 * stored, leaves a retry that executes again; with keys derived from the request, the processor answers that retry with
 * the charge it has made, and the payment is written over itself: the client pays once and finds one payment.
 */
export function createPayment({ payments, processor }: CreatePaymentDependencies) {
  return async (
    event: APIGatewayProxyEventV2,
    { idempotency, awsRequestId }: IdempotencyContext,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    const parsed = parsePaymentRequest(event);
    if (!parsed.valid) {
      return failure(400, { error: 'INVALID_REQUEST', message: parsed.message, field: parsed.field });
    }
    const { request } = parsed;
    let charge: Charge;
    try {
      charge = await processor.charge(request, idempotency.deriveKey('charge'), signal);
    } catch (error) {
      if (!(error instanceof ProcessorUnreachableError)) throw error;
      logLine('error', 'the payment processor did not answer', { requestId: awsRequestId, error });
      // The card may have been charged. It is safe to say "retry" only because the derived key will be the same.
      return failure(502, {
        error: 'PROCESSOR_UNREACHABLE',
        message: 'The payment processor did not answer. Retry with the same idempotency key.',
      });
    }
    if (charge.status === 'declined') return failure(402, { error: 'CARD_DECLINED', message: charge.reason });

    const payment: Payment = {
      id: idempotency.deriveKey('payment'),
      amount: request.amount,
      currency: request.currency,
      status: charge.status,
      chargeId: charge.id,
      createdAt: charge.createdAt,
    };
    await payments.save(payment);
    return json(201, payment, { location: `/payments/${payment.id}` });
  };
}
