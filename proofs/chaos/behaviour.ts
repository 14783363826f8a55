import type { Random } from '../lib/random.ts';

type Ends = 'return' | 'throw' | 'die';

/** What a handler does. */
export type Behaviour =
  | { readonly does: 'return' | 'throw' | 'decline'; readonly afterMillis: number }
  /** Its response exceeds an item of DynamoDB, whatever compresses it. */
  | { readonly does: 'return much' }
  /** Works longer than its first lease, and extends it in time. */
  | { readonly does: 'extend'; readonly times: number }
  /** Works longer than its lease, and does not know, unless that is renewed. */
  | { readonly does: 'outlive'; readonly byMillis: number; readonly ends: 'return' | 'throw' }
  /** Works in steps, one after the other or at the same time, and may not come to the last. */
  | {
      readonly does: 'steps';
      readonly names: readonly string[];
      readonly atOnce: boolean;
      readonly eachMillis: number;
      readonly fails: string | undefined;
      readonly ends: Ends;
    }
  /** Counts the effect of its key, and stores its response with it. `refused`: a condition of its own fails. */
  | { readonly does: 'transact'; readonly refused: boolean; readonly ends: Ends }
  /** Stores its response, and goes on. */
  | { readonly does: 'complete'; readonly ends: Ends }
  /** Never ends. */
  | { readonly does: 'hang' }
  /** Its process is killed while it works. */
  | { readonly does: 'die'; readonly afterMillis: number };

const STEPS = ['reserve', 'charge', 'confirm'] as const;

export function chooseBehaviour(random: Random): Behaviour {
  const ends = () =>
    random.weighted<Ends>([
      [60, 'return'],
      [36, 'throw'],
      [4, 'die'],
    ]);
  return random.weighted<() => Behaviour>([
    [28, () => ({ does: 'return', afterMillis: random.between(0, 60) })],
    [8, () => ({ does: 'return', afterMillis: random.between(100, 700) })],
    [8, () => ({ does: 'throw', afterMillis: random.between(0, 200) })],
    [3, () => ({ does: 'decline', afterMillis: random.between(0, 200) })],
    [1, () => ({ does: 'return much' })],
    [6, () => ({ does: 'extend', times: random.between(2, 4) })],
    [
      8,
      () => ({ does: 'outlive', byMillis: random.between(50, 2000), ends: random.next() < 0.7 ? 'return' : 'throw' }),
    ],
    [
      18,
      () => ({
        does: 'steps',
        names: STEPS.slice(0, random.between(1, STEPS.length)),
        atOnce: random.next() < 0.3,
        eachMillis: random.between(0, 150),
        fails: random.next() < 0.3 ? STEPS[random.between(0, STEPS.length - 1)] : undefined,
        ends: ends(),
      }),
    ],
    [10, () => ({ does: 'transact', refused: random.next() < 0.15, ends: ends() })],
    [5, () => ({ does: 'complete', ends: ends() })],
    [4, () => ({ does: 'hang' })],
    [1, () => ({ does: 'die', afterMillis: random.between(0, 100) })],
  ])();
}
