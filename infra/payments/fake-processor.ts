import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Charge, type ChargeRequest, type Processor, ProcessorUnreachableError } from './processor.ts';

export interface FakeProcessorOptions {
  /** How long the answer takes, milliseconds. @default 0 */
  readonly latencyMillis?: number;
}

/**
 * Stands for the SDK of a real payment processor: replace it by one before you take money. No card is charged.
 *
 * It is honest about idempotency, as real ones are: the same key gets the same charge, and is refused with another
 * request. It remembers its charges in this process only. The token `tok_declined` is declined, `tok_unreachable`
 * cannot be charged because nobody answers, every other token succeeds.
 */
export function fakeProcessor({ latencyMillis = 0 }: FakeProcessorOptions = {}): Processor {
  const charges = new Map<string, { readonly request: string; readonly charge: Charge }>();

  return {
    async charge({ amount, currency, source }, idempotencyKey, signal) {
      if (source === 'tok_unreachable') {
        await sleep(latencyMillis, undefined, { signal });
        throw new ProcessorUnreachableError('The payment processor did not answer.');
      }
      const request = JSON.stringify([amount, currency, source]);
      const made = charges.get(idempotencyKey) ?? { request, charge: decide(source) };
      if (made.request !== request) throw new Error('This idempotency key was used before for another charge.');
      // Remembered before the answer is on its way: a caller that gives up waiting may have been charged.
      charges.set(idempotencyKey, made);
      await sleep(latencyMillis, undefined, { signal });
      return made.charge;
    },
  };
}

function decide(source: ChargeRequest['source']): Charge {
  return source === 'tok_declined'
    ? { status: 'declined', reason: 'The card was declined.' }
    : { status: 'succeeded', id: `ch_${randomUUID()}`, createdAt: new Date().toISOString() };
}
