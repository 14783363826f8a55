/** The one source of everything that is left to chance in a schedule. */
export interface Choices {
  /** One of the indices of `weights`, the heavier the more often. The first is always the plainest. */
  choose(weights: readonly number[]): number;
  /** What was chosen so far: enough to run the same schedule again. */
  readonly taken: number[];
}

/** Chance that a seed repeats exactly (mulberry32). */
export class SeededChoices implements Choices {
  readonly taken: number[] = [];
  #state: number;

  constructor(seed: number) {
    this.#state = Math.imul(seed, 0x9e3779b1) | 0;
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

  #random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
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
