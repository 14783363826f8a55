import { randomUUID } from 'node:crypto';
import type { LedgerEntry } from '../../infra/ledger/booking.ts';
import { type Charge, type Processor, ProcessorKeyReusedError } from '../../infra/payments/processor.ts';

/** Money that has moved at the processor. */
export interface Movement {
  readonly type: LedgerEntry['type'];
  readonly charge: string;
  readonly amount: number;
  readonly currency: string;
}

export interface WatchedProcessor extends Processor {
  /** All that it has charged and paid out, each once for each time that it did. */
  readonly movements: readonly Movement[];
  /** It forgets every key of the charge, as a processor does after some days. */
  forget(charge: string): void;
}

/** A processor that writes down what it does. */
export function watchedProcessor(): WatchedProcessor {
  const movements: Movement[] = [];
  const known = new Map<string, { readonly request: string; readonly charge: string; readonly answer: unknown }>();

  return {
    movements,
    forget(charge) {
      for (const [key, call] of known) if (call.charge === charge) known.delete(key);
    },
    charge: async ({ amount, currency, source, capture }, key) =>
      once(key, ['charge', amount, currency, source, capture], `ch_${randomUUID()}`, (charge): Charge => {
        movements.push({ type: 'payment-captured', charge, amount, currency });
        return { status: 'succeeded', id: charge, createdAt: new Date().toISOString() };
      }),
    refund: async (charge, amount, key) =>
      once(key, ['refund', charge, amount], charge, () => {
        const { currency = '' } = movements.find((movement) => movement.charge === charge) ?? {};
        movements.push({ type: 'payment-refunded', charge, amount, currency });
      }),
    release: async () => undefined,
  };

  function once<T>(key: string, call: readonly unknown[], charge: string, move: (charge: string) => T): T {
    const request = JSON.stringify(call);
    const made = known.get(key) ?? { request, charge, answer: move(charge) };
    if (made.request !== request) throw new ProcessorKeyReusedError('This key was used before for another request.');
    known.set(key, made);
    return made.answer as T;
  }
}
