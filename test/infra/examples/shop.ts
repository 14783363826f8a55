import type { Order, Services } from '../../../infra/examples/order-saga.ts';

type Service = keyof Services;

/** What happens around one call of a service or of the store. */
export type Fault = 'crash before' | 'crash after' | 'throw before' | 'throw after';

/** Gives the fault of the next call, if any. */
export type NextFault = (call: string) => Fault | undefined;

/**
 * The services of the saga, outside of the process that crashes: what they have done stays done. They know a call by its key
 * (a service that cannot would need the saga's step to be at most once), and answer it as before.
 */
export class Shop {
  /** What has been done, in its order. */
  readonly effects: Service[] = [];
  /** Every call, repeated ones included. */
  readonly calls: Service[] = [];
  readonly #refusing: Service | undefined;
  readonly #answers = new Map<string, unknown>();

  constructor(refusing?: Service) {
    this.#refusing = refusing;
  }

  /** The services as one process sees them, with its faults. */
  services(faulty: Faulty): Services {
    const serve = async <T>(service: Service, key: string): Promise<T> =>
      faulty(service, async () => this.#serve(service, key) as T);
    return {
      reserveStock: (_order: Order, key) => serve('reserveStock', key),
      releaseStock: (_id, key) => serve('releaseStock', key),
      charge: (_order: Order, key) => serve('charge', key),
      refund: (_id, key) => serve('refund', key),
      bookShipping: (_order: Order, key) => serve('bookShipping', key),
    };
  }

  /** What is left of an order: +1 for what was done, -1 for what undid it. */
  balance(): Record<'stock' | 'money' | 'shipments', number> {
    const count = (service: Service) => this.effects.filter((one) => one === service).length;
    return {
      stock: count('reserveStock') - count('releaseStock'),
      money: count('charge') - count('refund'),
      shipments: count('bookShipping'),
    };
  }

  #serve(service: Service, key: string): unknown {
    this.calls.push(service);
    const known = `${service} ${key}`;
    if (!this.#answers.has(known)) {
      const refused = service === this.#refusing;
      if (!refused) this.effects.push(service);
      // Were it asked anew under the same key, a refusal would be the same one: but nobody may rely on that.
      this.#answers.set(known, refused ? { refused: `no ${service}` } : { id: `${service}-${this.effects.length}` });
    }
    return this.#answers.get(known);
  }
}

/** Performs a call with the fault that it has, if any. */
export type Faulty = <T>(call: string, perform: () => Promise<T>) => Promise<T>;

/** A crash never returns: nothing of the process that crashed runs on. `onCrash` tells when it has crashed. */
export function faults(next: NextFault = () => undefined, onCrash: () => void = () => undefined): Faulty {
  const crash = (): Promise<never> => {
    onCrash();
    return new Promise(() => undefined);
  };
  return async (call, perform) => {
    const fault = next(call);
    if (fault === 'crash before') return crash();
    if (fault === 'throw before') throw new Error('no network');
    const answer = await perform();
    if (fault === 'crash after') return crash();
    if (fault === 'throw after') throw new Error('the answer was lost');
    return answer;
  };
}
