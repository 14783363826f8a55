import type { Processor } from '../payments/processor.ts';
import type { ChargeOrder } from './killed-function.ts';

/** The processor of the runner, over HTTP. It charges, and this process is dead before the answer is there. */
export function killingProcessor(url: string): Processor {
  return {
    async charge(request, key) {
      const order: ChargeOrder = { request, key };
      await fetch(url, { method: 'POST', body: JSON.stringify(order) });
      throw new Error('the runner has not killed this process');
    },
    refund: refuse,
    release: refuse,
  };
}

async function refuse(): Promise<never> {
  throw new Error('Only a payment can be killed.');
}
