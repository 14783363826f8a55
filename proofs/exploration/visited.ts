const HEAVY = 0.6;

/**
 * The states that were met, each by 64 bits of a hash, with a number. Two states that differ have the same hash with a
 * chance of n²/2^65 among n: less than one to a hundred thousand for ten million.
 */
export class Visited {
  size = 0;
  #low = new Uint32Array(1 << 16);
  #high = new Uint32Array(1 << 16);
  #values = new Float64Array(1 << 16);

  /** Where a state stands, or would; negative when it is not there yet. */
  get(low: number, high: number): number | undefined {
    const slot = this.#slot(low, high);
    return this.#isFree(slot) ? undefined : this.#values[slot];
  }

  set(low: number, high: number, value: number): void {
    if (this.size > this.#low.length * HEAVY) this.#grow();
    const slot = this.#slot(low, high);
    if (this.#isFree(slot)) {
      this.size++;
      this.#low[slot] = low;
      this.#high[slot] = high;
    }
    this.#values[slot] = value;
  }

  #isFree(slot: number): boolean {
    return this.#low[slot] === 0 && this.#high[slot] === 0;
  }

  #slot(low: number, high: number): number {
    const mask = this.#low.length - 1;
    let slot = (low ^ Math.imul(high, 0x9e3779b1)) & mask;
    while (!this.#isFree(slot) && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [lows, highs, values] = [this.#low, this.#high, this.#values];
    this.#low = new Uint32Array(lows.length * 2);
    this.#high = new Uint32Array(lows.length * 2);
    this.#values = new Float64Array(lows.length * 2);
    this.size = 0;
    for (const [index, low] of lows.entries()) {
      const high = highs[index] ?? 0;
      if (low !== 0 || high !== 0) this.set(low, high, values[index] ?? 0);
    }
  }
}

/** Two hashes of 32 bits by different multipliers, each mixed at the end (MurmurHash3's finaliser). */
export function hash(numbers: readonly number[]): readonly [low: number, high: number] {
  let low = 0x9747b28c;
  let high = 0x1b873593;
  for (const number of numbers) {
    // A time has more than 32 bits.
    const upper = Math.floor(number / 2 ** 32);
    low = Math.imul(rotate(low ^ Math.imul(number | 0, 0xcc9e2d51), 13), 5) + 0xe6546b64;
    high = Math.imul(rotate(high ^ Math.imul(number | 0, 0x85ebca6b), 17), 9) + 0x38495ab5;
    if (upper !== 0) low = Math.imul(low ^ upper, 0x27d4eb2f);
  }
  return [mix(low ^ numbers.length), (mix(high + Math.imul(low, 0x165667b1)) | 1) >>> 0];
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

function mix(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
