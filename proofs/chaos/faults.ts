import type { Fault } from '../../test/support/proxy.ts';
import { type Random, randomOf } from '../lib/random.ts';
import { MAX_LEASE_MILLIS, REQUEST_TIMEOUT_MILLIS } from './terms.ts';

type Kind = readonly [weight: number, value: { readonly name: string; readonly make: (random: Random) => Fault }];

const kind = (weight: number, name: string, make: (random: Random) => Fault): Kind => [weight, { name, make }];
const always = (fault: Fault) => () => fault;

/** Of a hundred requests, so many. */
const KINDS: readonly Kind[] = [
  kind(66, 'none', always('pass')),
  kind(4, 'dropped before they were applied', always('drop')),
  kind(1, 'hung', always('hang')),
  kind(6, 'answer lost', always('lose answer')),
  kind(3, 'throttled', always('throttle')),
  kind(2, '500, not applied', always('fail')),
  kind(2, '500, applied', always('fail after applying')),
  kind(5, 'delayed', (random) => ({ delayMillis: random.between(10, 300) })),
  kind(2, 'answer delayed', (random) => ({ delayAnswerMillis: random.between(50, 2 * REQUEST_TIMEOUT_MILLIS) })),
  kind(2, "delayed beyond the client's patience", (random) => ({
    delayMillis: REQUEST_TIMEOUT_MILLIS + random.between(50, 1000),
  })),
  kind(2, 'delayed beyond the lease', (random) => ({ delayMillis: MAX_LEASE_MILLIS + random.between(0, 1500) })),
  kind(3, 'sent twice', (random) => ({ repeatAfterMillis: random.between(0, 50) })),
  kind(2, 'sent again later', (random) => ({ repeatAfterMillis: random.between(200, 4000) })),
];

export interface Faults {
  /** The next request's fault: of one seed, the n-th request always has the same. */
  next(): Fault;
  /** From now on everything passes. */
  end(): void;
  /** How many requests met which fault. */
  readonly counts: ReadonlyMap<string, number>;
}

export function seededFaults(seed: number): Faults {
  const counts = new Map<string, number>(KINDS.map(([, { name }]) => [name, 0]));
  let requests = 0;
  let ended = false;
  return {
    counts,
    next() {
      if (ended) return 'pass';
      const random = randomOf(seed, 'fault', requests++);
      const { name, make } = random.weighted(KINDS);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      return make(random);
    },
    end() {
      ended = true;
    },
  };
}
