/** What of a payment its owner may change at any time. */
export interface PaymentNotes {
  readonly description?: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Money that went back. */
export interface Refund {
  readonly id: string;
  /** In the payment's currency, in its minor unit. */
  readonly amount: number;
  /** When it was recorded, ISO 8601. */
  readonly createdAt: string;
  /** Digest of the request that asked for it. */
  readonly requestDigest: string;
  /** When the processor had paid it out, ISO 8601. A refund without it is one that some attempt has to finish. */
  readonly paidOutAt?: string;
}

/**
 * A payment. Its status goes one way. `authorized`: the card's limit is reserved, and no money has
 * moved. `voiding`: the processor has to free it, and has not answered yet. `voided`: it has.
 * `succeeded` (captured) stays, also after refunds. Amount, currency, source and charge never
 * change.
 */
export interface Payment extends PaymentNotes {
  readonly id: string;
  readonly status: 'authorized' | 'succeeded' | 'voiding' | 'voided';
  /** In the currency's minor unit. */
  readonly amount: number;
  /** The sum of the refunds: never more than `amount`. */
  readonly amountRefunded: number;
  readonly currency: string;
  /** The token that stands for the card. */
  readonly source: string;
  readonly refunds: readonly Refund[];
  /** The charge at the processor. */
  readonly chargeId: string;
  /** When the card was charged, ISO 8601. */
  readonly createdAt: string;
  /** Digest of the request that made it. */
  readonly requestDigest: string;
  /** 1 when it is made, one more at every write: what entity tags are made of. */
  readonly version: number;
  /** The token of the write that made this version: by it, a writer whose answer was lost recognises its own write. */
  readonly writtenBy: string;
}

/**
 * A strong entity tag (RFC 9110, section 8.8.1): the representation is a function of the stored payment, which has
 * another version after every write.
 */
export function entityTag({ version }: Pick<Payment, 'version'>): string {
  return `"v${version}"`;
}
