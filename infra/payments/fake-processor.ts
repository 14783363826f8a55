import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Charge,
  type ChargeRequest,
  type Processor,
  ProcessorKeyReusedError,
  ProcessorUnreachableError,
} from './processor.ts';

export interface FakeProcessor extends Processor {
  /** How many charges were made: declined ones and repetitions are none. */
  readonly charges: number;
}

export interface FakeProcessorOptions {
  /** How long the answer takes, milliseconds. @default 0 */
  readonly latencyMillis?: number;
}

/**
 * Stands for the SDK of a real payment processor: replace it by one before you take money. No card is charged.
 *
 * It is honest about idempotency, as real ones are: the same key gets the same answer, and is refused with another
 * request. It remembers its answers in this process only. The token `tok_declined` is declined,
 * `tok_unreachable` gets no answer, and every other token succeeds.
 */
export function fakeProcessor({ latencyMillis = 0 }: FakeProcessorOptions = {}): FakeProcessor {
  const known = new Map<string, { readonly request: string; readonly answer: unknown }>();

  let charges = 0;

  return {
    get charges() {
      return charges;
    },
    async charge({ amount, currency, source, capture }, idempotencyKey, signal) {
      if (source === 'tok_unreachable') {
        await sleep(latencyMillis, undefined, { signal });
        throw new ProcessorUnreachableError('The payment processor did not answer.');
      }
      const decide = () => {
        const charge = decideCharge(source, capture);
        if (charge.status !== 'declined') charges++;
        return charge;
      };
      return once(idempotencyKey, ['charge', amount, currency, source, capture], decide, signal);
    },
    refund: (chargeId, amount, key, signal) => once(key, ['refund', chargeId, amount], () => undefined, signal),
    release: (chargeId, key, signal) => once(key, ['release', chargeId], () => undefined, signal),
  };

  async function once<T>(key: string, call: readonly unknown[], decide: () => T, signal?: AbortSignal): Promise<T> {
    const request = JSON.stringify(call);
    const made = known.get(key) ?? { request, answer: decide() };
    if (made.request !== request) {
      throw new ProcessorKeyReusedError('This idempotency key was used before for another request.');
    }
    // Remembered before the answer is on its way: a caller that gives up waiting may have been charged.
    known.set(key, made);
    await sleep(latencyMillis, undefined, { signal });
    return made.answer as T;
  }
}

function decideCharge(source: ChargeRequest['source'], capture: boolean): Charge {
  return source === 'tok_declined'
    ? { status: 'declined', reason: 'The card was declined.' }
    : {
        status: capture ? 'succeeded' : 'authorized',
        id: `ch_${randomUUID()}`,
        createdAt: new Date().toISOString(),
      };
}
