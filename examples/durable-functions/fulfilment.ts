import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { type IdempotencyHandle, idempotent, type RecordStore } from 'middy-idempotency';

export interface Order {
  readonly id: string;
  readonly amount: number;
}

export interface Shop {
  charge(order: Order, idempotencyKey: string): Promise<string>;
  ship(order: Order, idempotencyKey: string): Promise<string>;
}

/** Each effect, guarded: once for an order, however often its step runs. */
export function onceEach(store: RecordStore<never>, shop: Shop) {
  const options = { store, key: 'id', passHandle: true } as const;
  const charge = (order: Order, _context: DurableContext, { deriveKey }: IdempotencyHandle) =>
    shop.charge(order, deriveKey('charge'));
  const ship = (order: Order, _context: DurableContext, { deriveKey }: IdempotencyHandle) =>
    shop.ship(order, deriveKey('ship'));
  return {
    chargeOnce: idempotent(charge, { ...options, operation: 'charge' }),
    shipOnce: idempotent(ship, { ...options, operation: 'ship' }),
  };
}

/**
 * A step runs at least once: Lambda may end between its effect and its checkpoint. With the context, the lease of an effect
 * ends when the invocation does.
 */
export function fulfilment({ chargeOnce, shipOnce }: ReturnType<typeof onceEach>) {
  return withDurableExecution(async (order: Order, context: DurableContext) => {
    const charge = await context.step('charge', () => chargeOnce(order, context));
    await context.wait('until the warehouse opens', { hours: 8 });
    const shipment = await context.step('ship', () => shipOnce(order, context));
    return { charge, shipment };
  });
}
