import type { PaymentEvent } from '../outbox/payment-event.ts';
import type { Payment, PaymentNotes, Refund } from './payment.ts';
import type { RefundOrder, RefundRefusal } from './refund-decision.ts';

/** A conflict is data: what is there instead, `undefined` when there is nothing. */
export type Write =
  | { readonly applied: true; readonly payment: Payment }
  | { readonly applied: false; readonly existing: Payment | undefined };

type RefundWrite =
  | { readonly kind: 'recorded'; readonly payment: Payment; readonly refund: Refund }
  | { readonly kind: 'refused'; readonly reason: RefundRefusal }
  | { readonly kind: 'not-found' };

/** What is there after a write was refused may be the write itself: its answer was lost, and it was sent again. */
export function afterRefusal(existing: Payment | undefined, writtenBy: string): Write {
  return existing?.writtenBy === writtenBy ? { applied: true, payment: existing } : { applied: false, existing };
}

/**
 * Where payments live. Every write is conditional. A write that was applied while its answer was
 * lost is recognised when it comes again, by `writtenBy` or by the refund's id. `Item` is one write of
 * the database's transactions.
 */
export interface Payments<Item = unknown> {
  /**
   * As it is now, not as it was a moment ago: a client that got 201 must find the payment at once.
   */
  find(id: string): Promise<Payment | undefined>;
  /** Writes a payment whose id is free. */
  insert(payment: Payment): Promise<Write>;
  /** The same as the first write of a transaction. */
  insertion(payment: Payment): Item;
  /** Writes the successor of the version that was read, with other notes. Nothing else of the payment is written. */
  replaceNotes(read: Pick<Payment, 'id' | 'version'>, notes: PaymentNotes, writtenBy: string): Promise<Write>;
  /** Makes an authorized payment of the version that was read a voiding one. */
  beginVoid(read: Pick<Payment, 'id' | 'version'>, writtenBy: string): Promise<Write>;
  /** Makes a voiding payment a voided one, in any version. */
  finishVoid(id: string, writtenBy: string): Promise<Write>;
  /** Records a refund. Refunds of a payment never exceed it, however many arrive at once. */
  refund(paymentId: string, order: RefundOrder): Promise<RefundWrite>;
  /**
   * The first write of a transaction: notes that a recorded refund was paid out, and is refused when that is noted already.
   * Nothing that a client sees of the payment changes.
   */
  payout(paymentId: string, refundId: string, paidOutAt: string): Item;
  /** The write that announces what another write of the same transaction has done. */
  announcement(event: PaymentEvent): Item;
}
