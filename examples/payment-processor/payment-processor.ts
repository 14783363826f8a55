import { randomUUID } from 'node:crypto';
import { type IdempotencyHandle, idempotent, type RecordStore } from 'middy-idempotency';

/** What a payment service is asked to do, and for whom. */
export interface Request {
  readonly operation: 'charge' | 'refund';
  readonly user: string;
  /** What the same request has again: never a time or a random number. */
  readonly parameters: { readonly orderId: string; readonly amount: number; readonly currency: string };
}

export interface Receipt {
  readonly id: string;
  readonly amount: number;
}

/** The provider has refused: a retry gets the same answer, until the record expires. */
export class Declined extends Error {
  override readonly name = 'Declined';
}

/** A payment provider that takes an idempotency key itself. */
export type Provider = (request: Request, idempotencyKey: string) => Promise<Receipt>;

/** The key of a request: who asks is its scope, and the guard hashes both with the operation. */
export function generateKey(_operation: Request['operation'], { orderId }: Request['parameters'], user: string) {
  return { scope: user, key: orderId };
}

/** Executes each payment once, on any store. */
export class PaymentProcessor {
  readonly #operations: Readonly<Record<Request['operation'], (request: Request) => Promise<Receipt>>>;

  constructor(store: RecordStore<never>, provider: Provider, retentionSeconds = 86_400) {
    const once = (operation: Request['operation']) =>
      idempotent((request: Request, { deriveKey }: IdempotencyHandle) => provider(request, deriveKey('provider')), {
        store,
        operation: `payments-${operation}`,
        key: ({ parameters, user }) => generateKey(operation, parameters, user).key,
        scope: ({ parameters, user }) => generateKey(operation, parameters, user).scope,
        fingerprint: ({ parameters }) => parameters,
        passHandle: true,
        retentionSeconds,
        // A refusal is an outcome. After any other error, a retry asks the provider again, with the same key.
        settle: (outcome) => (outcome.kind === 'returned' || outcome.error instanceof Declined ? 'store' : 'release'),
      });
    this.#operations = { charge: once('charge'), refund: once('refund') };
  }

  execute(request: Request): Promise<Receipt> {
    return this.#operations[request.operation](request);
  }
}

/** A provider for trying things out. */
export const fakeProvider: Provider = async ({ parameters: { amount } }) => ({ id: randomUUID(), amount });
