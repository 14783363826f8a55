import { askProcessor } from './ask-processor.ts';
import { type GuardedHandler, requireHandle } from './guarded.ts';
import { newPayment } from './new-payment.ts';
import { parsePaymentRequest } from './payment-request.ts';
import type { Payments } from './payments.ts';
import { problem } from './problems.ts';
import type { Processor } from './processor.ts';
import { createdResponse } from './responses.ts';

export interface PaymentDependencies {
  readonly payments: Payments;
  readonly processor: Processor;
}

/**
 * `POST /payments`: charges the card and stores the payment. Guarded by the idempotency middleware.
 *
 * Both effects are the same on every attempt of a request. A process that dies between them, or before its response is
 * stored, leaves a retry that executes again; with keys derived from the request, the processor answers that retry with
 * the charge it has made, and the payment is found where it was put: the client pays once and finds one payment.
 */
export function createPayment({ payments, processor }: PaymentDependencies): GuardedHandler {
  return async (event, { idempotency, awsRequestId }, { signal } = {}) => {
    const handle = requireHandle(idempotency);
    const parsed = parsePaymentRequest(event);
    if (!parsed.valid) return problem('invalid-request', { detail: parsed.detail, field: parsed.field });
    const { capture = true, ...request } = parsed.value;
    const asked = await askProcessor(
      awsRequestId,
      processor.charge({ ...request, capture }, handle.deriveKey('charge'), signal),
    );
    if (!asked.answered) return asked.response;
    const charge = asked.answer;
    if (charge.status === 'declined') return problem('card-declined', { detail: charge.reason });

    const id = handle.deriveKey('payment');
    const payment = newPayment(id, parsed.value, charge, handle.deriveKey('write'));
    const written = await payments.insert(payment);
    // An earlier attempt has made it, and it may have been refunded or changed since: that must not be undone.
    return createdResponse(written.applied ? written.payment : (written.existing ?? payment));
  };
}
