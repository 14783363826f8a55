import { mulberry32 } from '../lib/random.ts';

/** The one source of everything that is left to chance in a schedule. */
export interface Choices {
  /** One of the indices of `weights`, the heavier the more often. The first is always the plainest. */
  choose(weights: readonly number[]): number;
  /** What was chosen so far: enough to run the same schedule again. */
  readonly taken: number[];
}

/** Chance that a seed repeats exactly. */
export class SeededChoices implements Choices {
  readonly taken: number[] = [];
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = mulberry32(Math.imul(seed, 0x9e3779b1));
  }

  choose(weights: readonly number[]): number {
    let total = 0;
    for (const weight of weights) total += weight;
    let left = this.#random() * total;
    let chosen = 0;
    for (const [index, weight] of weights.entries()) {
      if (weight > 0) chosen = index;
      left -= weight;
      if (left < 0) break;
    }
    this.taken.push(chosen);
    return chosen;
  }
}

/** Choices made before, and the plainest ones where they end. */
export class GivenChoices implements Choices {
  readonly taken: number[] = [];
  readonly #given: readonly number[];

  constructor(given: readonly number[]) {
    this.#given = given;
  }

  choose(weights: readonly number[]): number {
    const chosen = Math.min(this.#given[this.taken.length] ?? 0, weights.length - 1);
    this.taken.push(chosen);
    return chosen;
  }
}
