import type { IdempotencyHandle } from 'middy-idempotency';

export interface Order {
  readonly id: string;
  readonly sku: string;
  readonly quantity: number;
  readonly amount: number;
}

/**
 * A refusal is an answer, and final. A throw is not: it is unknown whether the call happened, and
 * it is made again.
 */
type Answer = { readonly id: string } | { readonly refused: string };

/**
 * The other services. Each of them recognises a repeated call by its key, and answers it as before.
 */
export interface Services {
  reserveStock(order: Order, key: string): Promise<Answer>;
  releaseStock(reservationId: string, key: string): Promise<void>;
  charge(order: Order, key: string): Promise<Answer>;
  refund(chargeId: string, key: string): Promise<void>;
  bookShipping(order: Order, key: string): Promise<Answer>;
}

export type OrderOutcome =
  | {
      readonly status: 'placed';
      readonly reservationId: string;
      readonly chargeId: string;
      readonly shipmentId: string;
    }
  | { readonly status: 'cancelled'; readonly reason: string };

/**
 * Reserves, charges and books, or undoes what it has done. After a crash, the next attempt goes the
 * same way: a step keeps every answer, or refusal, before the saga acts on it.
 */
export function orderSaga(services: Services) {
  return async (order: Order, { step, deriveKey }: IdempotencyHandle): Promise<OrderOutcome> => {
    const reservation = await step('reserve', () => services.reserveStock(order, deriveKey('reserve')));
    if ('refused' in reservation) return { status: 'cancelled', reason: reservation.refused };

    const charge = await step('charge', () => services.charge(order, deriveKey('charge')));
    if ('refused' in charge) {
      await step('release', () => services.releaseStock(reservation.id, deriveKey('release')));
      return { status: 'cancelled', reason: charge.refused };
    }

    const shipment = await step('book', () => services.bookShipping(order, deriveKey('book')));
    if ('refused' in shipment) {
      await step('refund', () => services.refund(charge.id, deriveKey('refund')));
      await step('release', () => services.releaseStock(reservation.id, deriveKey('release')));
      return { status: 'cancelled', reason: shipment.refused };
    }
    return { status: 'placed', reservationId: reservation.id, chargeId: charge.id, shipmentId: shipment.id };
  };
}
