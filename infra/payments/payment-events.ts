import type { PaymentEvent } from '../outbox/payment-event.ts';
import type { Payment, Refund } from './payment.ts';

/** Everything in an event is the same on every attempt of the request. Its id is derived from the request, too. */
export function capturedEvent({ id: payment, amount, currency, createdAt }: Payment, id: string): PaymentEvent {
  return { id, type: 'payment-captured', payment, amount, currency, occurredAt: createdAt };
}

export function refundedEvent({ id: payment, currency }: Payment, refund: Refund, id: string): PaymentEvent {
  return {
    id,
    type: 'payment-refunded',
    payment,
    amount: refund.amount,
    currency,
    occurredAt: refund.createdAt,
  };
}
