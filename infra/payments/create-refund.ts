import { askProcessor } from './ask-processor.ts';
import type { PaymentDependencies } from './create-payment.ts';
import { type GuardedHandler, paymentId, requireHandle } from './guarded.ts';
import { refundedEvent } from './payment-events.ts';
import { AMOUNT_RULE } from './payment-request.ts';
import { problem } from './problems.ts';
import type { RefundRefusal } from './refund-decision.ts';
import { brokenRule, readMembers } from './request-body.ts';
import { requestDigest } from './request-digest.ts';
import { keyReused, paymentNotFound, refundResponse } from './responses.ts';
import { isFirstRefused } from './transaction.ts';

/**
 * `POST /payments/{id}/refunds`: gives a captured payment back, `amount` of it or all that is left. Guarded by the
 * idempotency middleware.
 *
 * The refund is recorded first, under an id that is derived from the request. Then it is paid out,
 * with a key that is derived, too. If an attempt dies anywhere, a retry finds the refund recorded,
 * and asks the processor for the same payout again: nothing is refunded twice. What is recorded
 * counts, so that the sum never exceeds the payment. The mark that it was paid out is written in
 * one transaction with the response and the event. A refund without the mark is still to be
 * finished, by a retry or by an operator, and is not yet in the ledger.
 */
export function createRefund<Item>({ payments, processor }: PaymentDependencies<Item>): GuardedHandler<Item> {
  return async (event, { idempotency, awsRequestId }, { signal } = {}) => {
    const handle = requireHandle(idempotency);
    const body = readMembers(event, '{}');
    if (!body.valid) return problem('invalid-request', { detail: body.detail, field: body.field });
    const { amount } = body.value as { readonly amount?: number };
    const broken = amount === undefined ? undefined : brokenRule(body.value, { amount: AMOUNT_RULE });
    if (broken !== undefined) return problem('invalid-request', { detail: broken.detail, field: broken.field });

    // The payment is part of every name: a key may come again for another payment, long after its record has gone.
    const refundOf = paymentId(event);
    const derive = (what: string) => handle.deriveKey(`${what} ${refundOf}`);
    const order = { id: derive('refund'), amount, requestDigest: requestDigest({ amount }) };
    const written = await payments.refund(refundOf, order);
    if (written.kind === 'not-found') return paymentNotFound();
    if (written.kind === 'refused') return refusal(written.reason);
    const { payment, refund } = written;
    const response = refundResponse(payment, refund);
    // This comes before the processor is asked: it may have forgotten a payout that this API has
    // not.
    if (refund.paidOutAt !== undefined) return response;
    const paying = processor.refund(payment.chargeId, refund.amount, derive('payout'), signal);
    const asked = await askProcessor(awsRequestId, paying, keyReused());
    if (!asked.answered) return asked.response;
    const payout = payments.payout(payment.id, refund.id, new Date().toISOString());
    const announcement = payments.announcement(refundedEvent(payment, refund, derive('event')));
    try {
      await handle.transact([payout, announcement], response);
    } catch (error) {
      // Another attempt, whose lease was lost, has noted and announced the payout meanwhile: nothing is announced twice.
      if (!isFirstRefused(error)) throw error;
    }
    return response;
  };
}

function refusal(reason: RefundRefusal) {
  return reason === 'key-reused' ? keyReused() : problem(reason, { detail: ADVICE[reason] });
}

const ADVICE: Readonly<Record<Exclude<RefundRefusal, 'key-reused'>, string>> = {
  'payment-not-captured': 'No money has moved, so that none can go back. DELETE voids an authorized payment.',
  'refund-exceeds-payment': 'GET the payment: amount less amountRefunded is what can be refunded.',
  'too-many-refunds': 'Refund what is left by other means.',
};
