import { askProcessor } from './ask-processor.ts';
import { type GuardedHandler, requireHandle } from './guarded.ts';
import { newPayment } from './new-payment.ts';
import type { Payment } from './payment.ts';
import { capturedEvent } from './payment-events.ts';
import { parsePaymentRequest } from './payment-request.ts';
import type { Payments } from './payments.ts';
import { problem } from './problems.ts';
import type { Processor } from './processor.ts';
import { requestDigest } from './request-digest.ts';
import { createdResponse, keyReused } from './responses.ts';
import { isFirstRefused } from './transaction.ts';

export interface PaymentDependencies<Item = unknown> {
  readonly payments: Payments<Item>;
  readonly processor: Processor;
}

/**
 * `POST /payments`: charges the card and stores the payment. Guarded by the idempotency middleware.
 *
 * The charge is the same on every attempt of a request. If a process dies after it, a retry
 * executes again. The processor then gets the same derived key, and answers with the charge that it
 * has made. Once the payment is stored, the processor is not asked again, so that nothing is
 * charged twice when it has forgotten the key. The payment, its event and the response are stored
 * in one transaction. A payment that is there is always known to its retry and to the ledger.
 */
export function createPayment<Item>({ payments, processor }: PaymentDependencies<Item>): GuardedHandler<Item> {
  return async (event, { idempotency, awsRequestId }, { signal } = {}) => {
    const handle = requireHandle(idempotency);
    const parsed = parsePaymentRequest(event);
    if (!parsed.valid) return problem('invalid-request', { detail: parsed.detail, field: parsed.field });
    const { capture = true } = parsed.value;
    const request = { ...parsed.value, capture };
    const identity = { id: handle.deriveKey('payment'), requestDigest: requestDigest(request) };
    // This comes first: the processor may have forgotten a charge that this API has not.
    const made = await payments.find(identity.id);
    if (made !== undefined) return madeBefore(made, identity);
    const charging = processor.charge(request, handle.deriveKey('charge'), signal);
    const asked = await askProcessor(awsRequestId, charging, keyReused());
    if (!asked.answered) return asked.response;
    const charge = asked.answer;
    if (charge.status === 'declined') return problem('card-declined', { detail: charge.reason });

    const payment = newPayment(request, charge, { ...identity, writtenBy: handle.deriveKey('write') });
    const response = createdResponse(payment);
    // What was only authorized has moved no money.
    const events = payment.status === 'succeeded' ? [capturedEvent(payment, handle.deriveKey('event'))] : [];
    try {
      await handle.transact([payments.insertion(payment), ...events.map(payments.announcement)], response);
      return response;
    } catch (error) {
      if (!isFirstRefused(error)) throw error;
      return madeBefore((await payments.find(identity.id)) ?? payment, identity);
    }
  };
}

/**
 * The request was executed before its outcome was forgotten. The payment may have been refunded or changed since: that must
 * not be undone.
 */
function madeBefore(payment: Payment, { requestDigest }: Pick<Payment, 'requestDigest'>) {
  return payment.requestDigest === requestDigest ? createdResponse(payment) : keyReused();
}
