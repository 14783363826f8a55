import type { Payment, Refund } from './payment.ts';

/** What is asked for. */
export interface RefundOrder {
  /** The same on every attempt of a request: a refund that is recorded is not recorded again. */
  readonly id: string;
  /** `undefined`: all that is left. */
  readonly amount: number | undefined;
  readonly requestDigest: string;
}

export type RefundRefusal = 'key-reused' | 'payment-not-captured' | 'refund-exceeds-payment' | 'too-many-refunds';

export type RefundDecision =
  /** By an earlier attempt of the same request. */
  | { readonly kind: 'recorded'; readonly refund: Refund }
  | { readonly kind: 'record'; readonly amount: number }
  | { readonly kind: 'refused'; readonly reason: RefundRefusal };

/** Refunds are kept in the payment's item, which DynamoDB limits to 400 KB. */
export const MAX_REFUNDS = 100;

/** What becomes of a refund of this payment. Pure: the write that follows is conditional on all that was read here. */
export function decideRefund(payment: Payment, { id, amount, requestDigest }: RefundOrder): RefundDecision {
  const recorded = payment.refunds.find((refund) => refund.id === id);
  if (recorded !== undefined) {
    const isSame = recorded.requestDigest === requestDigest;
    return isSame ? { kind: 'recorded', refund: recorded } : { kind: 'refused', reason: 'key-reused' };
  }
  if (payment.status !== 'succeeded') return { kind: 'refused', reason: 'payment-not-captured' };
  const left = payment.amount - payment.amountRefunded;
  if (left === 0 || (amount ?? 0) > left) return { kind: 'refused', reason: 'refund-exceeds-payment' };
  if (payment.refunds.length >= MAX_REFUNDS) return { kind: 'refused', reason: 'too-many-refunds' };
  return { kind: 'record', amount: amount ?? left };
}

/** A refund as it is recorded. */
export function newRefund({ id, requestDigest }: RefundOrder, amount: number): Refund {
  return { id, amount, createdAt: new Date().toISOString(), requestDigest };
}
