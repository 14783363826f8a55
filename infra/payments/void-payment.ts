import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { askProcessor } from './ask-processor.ts';
import type { PaymentDependencies } from './create-payment.ts';
import { type GuardedHandler, paymentId } from './guarded.ts';
import type { Payment } from './payment.ts';
import type { Payments } from './payments.ts';
import { failedPrecondition, type Preconditions, readPreconditions } from './preconditions.ts';
import { problem } from './problems.ts';
import { keyReused, paymentNotFound } from './responses.ts';

/**
 * `DELETE /payments/{id}`: voids an authorized payment. It can be read for ever after.
 *
 * 204, and 204 again: a client that repeats a request whose answer was lost wants to know that the
 * payment is void (RFC 9110, section 9.2.2). 404 is for an id that was never used, 409 for money
 * that has moved: refund that.
 *
 * `voiding` is written before the processor is asked: no write that expects an authorized payment
 * can come in between. `voided` is written after it. If an attempt dies, a retry with or without
 * the same key finds the payment `voiding` and goes on.
 */
export function voidPayment({ payments, processor }: PaymentDependencies): GuardedHandler {
  return async (event, { awsRequestId }, { signal } = {}) => {
    const begun = await beginVoid(payments, paymentId(event), readPreconditions(event));
    if ('refused' in begun) return begun.refused;
    const { id, chargeId } = begun.payment;
    const releasing = processor.release(chargeId, `void-${id}`, signal);
    const asked = await askProcessor(awsRequestId, releasing, keyReused());
    if (!asked.answered) return asked.response;
    const written = await payments.finishVoid(id, randomUUID());
    return verdict(written.applied ? written.payment : written.existing);
  };
}

type Begun = { readonly payment: Payment } | { readonly refused: APIGatewayProxyStructuredResultV2 };

async function beginVoid(payments: Payments, id: string, preconditions: Preconditions): Promise<Begun> {
  // Every further round has seen a write of another request.
  for (;;) {
    const payment = await payments.find(id);
    if (payment?.status === 'voiding') return { payment };
    if (payment?.status !== 'authorized') return { refused: verdict(payment) };
    // Optional here. After the verdict: a repetition comes with the entity tag of before (RFC 9110, section 13.1.1).
    const refused = failedPrecondition(preconditions, payment);
    if (refused !== undefined) return { refused };
    const written = await payments.beginVoid(payment, randomUUID());
    if (written.applied) return written;
  }
}

function verdict(payment: Payment | undefined): APIGatewayProxyStructuredResultV2 {
  if (payment === undefined) return paymentNotFound();
  if (payment.status === 'voided') return { statusCode: 204 };
  return problem('payment-not-authorized', { detail: `The payment is ${payment.status}. Refund it instead.` });
}
