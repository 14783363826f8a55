import type { FakeProcessor } from '../payments/fake-processor.ts';

/** A charge as the processor sees it: one for each idempotency key. */
export interface SeenCharge {
  /** The processor's id; `undefined` while it is working, and when it made no charge. */
  id?: string;
  readonly amount: number;
  readonly currency: string;
  /** How often it was asked, with the same key. */
  asked: number;
}

export interface WatchedProcessor extends FakeProcessor {
  /** In the order in which they were asked for. */
  readonly seen: readonly SeenCharge[];
}

/** The same processor, and what it was asked for. */
export function watchedProcessor(processor: FakeProcessor): WatchedProcessor {
  const byKey = new Map<string, SeenCharge>();
  return {
    ...processor,
    get charges() {
      return processor.charges;
    },
    get seen() {
      return [...byKey.values()];
    },
    async charge(request, idempotencyKey, signal) {
      const { amount, currency } = request;
      const seen = byKey.get(idempotencyKey) ?? { amount, currency, asked: 0 };
      byKey.set(idempotencyKey, seen);
      seen.asked++;
      const charge = await processor.charge(request, idempotencyKey, signal);
      if (charge.status !== 'declined') seen.id = charge.id;
      return charge;
    },
  };
}
