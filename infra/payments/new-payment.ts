import type { Payment } from './payment.ts';
import type { PaymentRequest } from './payment-request.ts';
import type { Charge } from './processor.ts';
import { requestDigest } from './request-digest.ts';

/** The first version of a payment. Everything in it is the same on every attempt of a request. */
export function newPayment(
  id: string,
  request: PaymentRequest,
  charge: Exclude<Charge, { status: 'declined' }>,
  writtenBy: string,
): Payment {
  const { amount, currency, source, description, metadata } = request;
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
    requestDigest: requestDigest(request),
    version: 1,
    writtenBy,
  };
}
