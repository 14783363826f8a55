import type { Payment } from './payment.ts';
import type { PaymentRequest } from './payment-request.ts';
import type { Charge } from './processor.ts';

/** The first version of a payment. Everything in it is the same on every attempt of a request. */
export function newPayment(
  id: string,
  { amount, currency, source, description, metadata }: PaymentRequest,
  charge: Exclude<Charge, { status: 'declined' }>,
  writtenBy: string,
): Payment {
  return {
    id,
    status: charge.status,
    amount,
    amountRefunded: 0,
    currency,
    source,
    ...(description !== undefined && { description }),
    metadata,
    refunds: [],
    chargeId: charge.id,
    createdAt: charge.createdAt,
    version: 1,
    writtenBy,
  };
}
