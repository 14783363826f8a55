import { type IdempotencyHandle, idempotent, type RecordStore } from 'middy-idempotency';

export interface Order {
  readonly id: string;
  readonly amount: number;
}

export interface Processor {
  charge(order: Order, options: { idempotencyKey: string }): Promise<{ chargeId: string }>;
}

export const charging = ({ store, processor }: { store: RecordStore; processor: Processor }) =>
  idempotent(
    async (order: Order, { deriveKey }: IdempotencyHandle) =>
      processor.charge(order, { idempotencyKey: deriveKey('charge') }), // the same key on every attempt
    { store, operation: 'charge', key: 'id', fingerprint: 'amount', passHandle: true },
  );
