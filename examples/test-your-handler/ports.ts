import type { RecordStore } from 'middy-idempotency';
import { memoryStore } from 'middy-idempotency/memory';

export interface Order {
  readonly id: string;
  readonly amount: number;
}

/** What the handlers call. */
export interface Ports {
  readonly store: RecordStore<Order>;
  readonly processor: { charge(order: Order, idempotencyKey?: string): Promise<{ readonly chargeId: string }> };
  readonly receipts: { send(order: Order, idempotencyKey?: string): Promise<void> };
  readonly publisher: { publish(order: Order, idempotencyKey?: string): Promise<void> };
}

/** Fakes for a test. Each run of the check makes its own. */
export function fakePorts(): Ports {
  const orders = new Map<string, Order>();
  return {
    store: memoryStore<Order>({
      apply: (items) => {
        for (const order of items) orders.set(order.id, order);
      },
    }),
    processor: { charge: async ({ id }) => ({ chargeId: `ch_${id}` }) },
    receipts: { send: async () => undefined },
    publisher: { publish: async () => undefined },
  };
}
