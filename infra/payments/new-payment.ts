import type { Payment } from './payment.ts';
import type { PaymentRequest } from './payment-request.ts';
import type { Charge } from './processor.ts';

/** The first version of a payment. Everything in it is the same on every attempt of a request. */
export function newPayment(
  { amount, currency, source, description, metadata }: PaymentRequest,
  charge: Exclude<Charge, { status: 'declined' }>,
  { id, requestDigest, writtenBy }: Pick<Payment, 'id' | 'requestDigest' | 'writtenBy'>,
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
    requestDigest,
    version: 1,
    writtenBy,
  };
}
