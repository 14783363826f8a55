/** What is to be charged. */
export interface ChargeRequest {
  /** In the currency's minor unit: 1999 is EUR 19.99. */
  readonly amount: number;
  /** ISO 4217. */
  readonly currency: string;
  /** The token that stands for the card. */
  readonly source: string;
}

/** What the processor decided. Final: the same idempotency key gets the same charge for ever. */
export type Charge =
  | { readonly status: 'succeeded'; readonly id: string; readonly createdAt: string }
  | { readonly status: 'declined'; readonly reason: string };

/** The payment processor, as much of it as this example needs. */
export interface Processor {
  /**
   * Charges once for each idempotency key: asked again with it, the processor answers with the charge that it made.
   *
   * @throws ProcessorUnreachableError when the answer did not arrive. The card may have been charged nevertheless.
   */
  charge(request: ChargeRequest, idempotencyKey: string, signal?: AbortSignal): Promise<Charge>;
}

/** No answer came from the processor. Ask again with the same idempotency key. */
export class ProcessorUnreachableError extends Error {
  override readonly name = 'ProcessorUnreachableError';
}
