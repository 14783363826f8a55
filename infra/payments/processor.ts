/** What is to be charged. */
export interface ChargeRequest {
  /** In the currency's minor unit: 1999 is EUR 19.99. */
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  /** The token that stands for the card. */
  readonly source: string;
  /** `false` reserves the amount on the card and moves no money. */
  readonly capture: boolean;
}

/** What the processor decided. Final: the same idempotency key gets the same charge for ever. */
export type Charge =
  | { readonly status: 'succeeded' | 'authorized'; readonly id: string; readonly createdAt: string }
  | { readonly status: 'declined'; readonly reason: string };

/**
 * The payment processor, as much of it as this example needs. Every call takes an idempotency key,
 * and has its effect once for each key. A second call with the same key gets the first answer.
 *
 * Every call throws a `ProcessorUnreachableError` when the answer did not arrive. It may have had its effect.
 */
export interface Processor {
  /** @throws ProcessorKeyReusedError when the key was used for another charge */
  charge(request: ChargeRequest, idempotencyKey: string, signal?: AbortSignal): Promise<Charge>;
  /** Gives part of a captured charge back. Does not watch the sum: that is the caller's promise. */
  refund(chargeId: string, amount: number, idempotencyKey: string, signal?: AbortSignal): Promise<void>;
  /** Frees what an authorized charge has reserved on the card. */
  release(chargeId: string, idempotencyKey: string, signal?: AbortSignal): Promise<void>;
}

/** No answer came from the processor. Ask again with the same idempotency key. */
export class ProcessorUnreachableError extends Error {
  override readonly name = 'ProcessorUnreachableError';
}

/** The processor knows this idempotency key from another request. Nothing has happened. */
export class ProcessorKeyReusedError extends Error {
  override readonly name = 'ProcessorKeyReusedError';
}
