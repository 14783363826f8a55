import type { Payment, Refund } from './payment.ts';

/** A payment as it is stored: the refunds by their ids, so that a condition can ask for one. */
export type Item = Omit<Payment, 'refunds'> & { readonly refunds: Readonly<Record<string, Omit<Refund, 'id'>>> };

/** Everything in it is of a shape that is known here: nothing that is charged can turn out not to be storable. */
export function toItem({ refunds, metadata, ...payment }: Payment) {
  return {
    ...payment,
    metadata: asMap(metadata),
    refunds: Object.fromEntries(refunds.map(({ id, ...refund }) => [id, refund])),
  };
}

/** The client has chosen the names: an object with a member `constructor` would be taken for an instance of a class. */
export function asMap(metadata: Payment['metadata']): ReadonlyMap<string, string> {
  return new Map(Object.entries(metadata));
}

export function toPayment({ refunds, ...payment }: Item): Payment {
  return { ...payment, refunds: Object.entries(refunds).map(([id, refund]) => ({ id, ...refund })) };
}
