import type { Random } from '../lib/random.ts';

/** How an effect gets its idempotency key. */
const KEY_SHAPES = ['argument', 'option', 'header', 'token', 'id'] as const;
/** How the handler calls it. */
const CALL_SHAPES = ['plain', 'step', 'parallel', 'rethrown', 'after a pause', 'after a read'] as const;
const GUARDS = ['function', 'middleware', 'http', 'batch', 'transaction'] as const;

export interface EffectPlan {
  readonly name: string;
  readonly key: (typeof KEY_SHAPES)[number];
  readonly call: (typeof CALL_SHAPES)[number];
}

/** A handler that is safe to retry, as data. */
export interface Program {
  readonly guard: (typeof GUARDS)[number];
  readonly effects: readonly EffectPlan[];
  /** Whether its last write and its outcome are one transaction. */
  readonly transacts: boolean;
  readonly options: {
    readonly onInFlight?: { readonly waitMillis: number };
    readonly cache?: { readonly maxEntries: number };
  };
  readonly timeoutEarlyInMillis: number;
}

const NAMES = ['charge', 'mail', 'book', 'publish'];

export function generate(random: Random): Program {
  const guard = pick(random, GUARDS);
  const count = random.between(1, 3);
  return {
    guard,
    effects: NAMES.slice(0, count).map((name) => ({
      name,
      key: pick(random, KEY_SHAPES),
      call: pick(random, CALL_SHAPES),
    })),
    transacts: guard !== 'transaction' && random.next() < 0.3,
    options: {
      ...(random.next() < 0.3 && { onInFlight: { waitMillis: random.between(1, 10) * 1000 } }),
      ...(random.next() < 0.3 && { cache: { maxEntries: 10 } }),
    },
    timeoutEarlyInMillis: pick(random, [0, 5, 500]),
  };
}

export function pick<T>(random: Random, values: readonly T[]): T {
  return values[random.between(0, values.length - 1)] as T;
}
