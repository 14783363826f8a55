import { randomUUID } from 'node:crypto';
import { askProcessor } from './ask-processor.ts';
import type { PaymentDependencies } from './create-payment.ts';
import { type GuardedHandler, paymentId } from './guarded.ts';
import type { Payment } from './payment.ts';
import { failedPrecondition, readPreconditions } from './preconditions.ts';
import { problem } from './problems.ts';
import { keyReused, paymentNotFound } from './responses.ts';

/**
 * `DELETE /payments/{id}`: voids an authorized payment. It can be read for ever after.
 *
 * 204, and 204 again: who repeats a request whose answer was lost wants to know that the payment is void, not who did
 * it (RFC 9110, section 9.2.2). 404 is for an id that was never used, 409 for money that has moved: refund that.
 */
export function voidPayment({ payments, processor }: PaymentDependencies): GuardedHandler {
  return async (event, { awsRequestId }, { signal } = {}) => {
    const payment = await payments.find(paymentId(event));
    if (payment?.status !== 'authorized') return verdict(payment);
    // Optional here. After the verdict: a repetition comes with the entity tag of before (RFC 9110, section 13.1.1).
    const failed = failedPrecondition(readPreconditions(event), payment);
    if (failed !== undefined) return failed;
    // The processor first: were the payment void already, a retry would never free what is reserved on the card.
    const released = processor.release(payment.chargeId, `void-${payment.id}`, signal);
    const asked = await askProcessor(awsRequestId, released, keyReused());
    if (!asked.answered) return asked.response;
    const written = await payments.void(payment.id, randomUUID());
    return verdict(written.applied ? written.payment : written.existing);
  };
}

function verdict(payment: Payment | undefined) {
  if (payment === undefined) return paymentNotFound();
  if (payment.status === 'voided') return { statusCode: 204 };
  return problem('payment-not-authorized', { detail: `The payment is ${payment.status}. Refund it instead.` });
}
