import { createPaymentsHandler, type PaymentsOptions } from '../../payments/api.ts';
import { requireEnvironment } from '../../payments/environment.ts';
import { logIdempotencyEvent } from '../../payments/log.ts';
import type { Processor } from '../../payments/processor.ts';
import type { ChargeOrder } from './function.ts';

/** The payments function, in the process that is killed. Needs `PROCESSOR_URL` in its environment. */
export function killedPayments<Item>({ store, payments }: Pick<PaymentsOptions<Item>, 'store' | 'payments'>) {
  return createPaymentsHandler({
    store,
    payments,
    processor: killingProcessor(requireEnvironment('PROCESSOR_URL')),
    scope: 'anonymous',
    onEvent: logIdempotencyEvent,
  });
}

/** The processor of the runner, over HTTP. It charges, and this process is dead before the answer is there. */
function killingProcessor(url: string): Processor {
  return {
    async charge(request, key) {
      const order: ChargeOrder = { request, key };
      await fetch(url, { method: 'POST', body: JSON.stringify(order) });
      throw new Error('The runner has not killed this process.');
    },
    refund: refuse,
    release: refuse,
  };
}

async function refuse(): Promise<never> {
  throw new Error('Only POST /payments can be killed.');
}
