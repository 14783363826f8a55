import { type IdempotencyHandle, idempotent, type RecordStore } from 'middy-idempotency';

interface Order {
  readonly id: string;
}

interface Services {
  readonly stock: { reserve(order: Order): Promise<{ id: string }>; confirm(id: string): Promise<unknown> };
  readonly processor: { charge(order: Order, options: { idempotencyKey: string }): Promise<{ id: string }> };
}

export function paymentInSteps(store: RecordStore, { stock, processor }: Services) {
  return idempotent(
    async (order: Order, { step, deriveKey }: IdempotencyHandle) => {
      const reservation = await step('reserve', () => stock.reserve(order));
      const charge = await step('charge', () => processor.charge(order, { idempotencyKey: deriveKey('charge') }));
      await step('confirm', () => stock.confirm(reservation.id));
      return charge;
    },
    { store, operation: 'pay', key: (order) => order.id, passHandle: true },
  );
}
