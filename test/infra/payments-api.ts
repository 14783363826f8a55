import type { IdempotencyEventType } from 'middy-idempotency';
import { createPaymentsHandler, type PaymentsScope } from '../../infra/payments/api.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import type { Payments } from '../../infra/payments/payments.ts';
import type { Processor } from '../../infra/payments/processor.ts';
import { client } from './requests.ts';
import { usePaymentsBackend } from './support/payments-backend.ts';

export interface PaymentsApiOptions {
  /** Runs in front of every call of the processor. */
  readonly before?: (call: keyof Processor) => Promise<void>;
  /** In place of what the payments do. */
  readonly payments?: Partial<Payments>;
  /** @default 'anonymous' */
  readonly scope?: PaymentsScope;
}

/** Answers nobody before `count` callers have read: then all of them decide by what they read before anybody wrote. */
export function readTogether(find: Payments['find'], count: number): Payments['find'] {
  const gate = Promise.withResolvers<void>();
  let readers = 0;
  return async (id) => {
    const payment = await find(id);
    readers += 1;
    if (readers >= count) gate.resolve();
    await gate.promise;
    return payment;
  };
}

/** For a test file: makes payments APIs on one database, each with a processor that counts. */
export function usePaymentsApi() {
  const backend = usePaymentsBackend();
  const { store, payments, announced } = backend;

  return ({ before = async () => undefined, payments: overrides, scope = 'anonymous' }: PaymentsApiOptions = {}) => {
    let real = fakeProcessor();
    const keys = { charge: [] as string[], refund: [] as string[], release: [] as string[] };
    const events: IdempotencyEventType[] = [];
    const processor: Processor = {
      async charge(request, key, signal) {
        keys.charge.push(key);
        await before('charge');
        return real.charge(request, key, signal);
      },
      async refund(chargeId, amount, key, signal) {
        keys.refund.push(key);
        await before('refund');
        return real.refund(chargeId, amount, key, signal);
      },
      async release(chargeId, key, signal) {
        keys.release.push(key);
        await before('release');
        return real.release(chargeId, key, signal);
      },
    };
    const recordIds: string[] = [];
    const handler = createPaymentsHandler({
      store,
      payments: { ...payments, ...overrides },
      processor,
      scope,
      onEvent: ({ type, id }) => {
        events.push(type);
        recordIds.push(id);
      },
    });

    /** The processor no longer knows any key. */
    function forgetKeys(): void {
      real = fakeProcessor();
    }
    return {
      send: client(handler),
      chargeKeys: keys.charge,
      keys,
      events,
      payments,
      announced,
      /** Makes the last record look as if its process had died before it could store the outcome, long ago. */
      forgetOutcome: () => backend.forgetOutcome(recordIds.at(-1)),
      /** The last record is past its retention, and gone. */
      expireRecord: () => backend.deleteRecord(recordIds.at(-1)),
      forgetKeys,
    };
  };
}
