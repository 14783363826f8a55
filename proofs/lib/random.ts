import { createHash } from 'node:crypto';

/** Choices that a seed determines. */
export interface Random {
  /** From 0 up to, and without, 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  /** One of the entries, by weight. */
  weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): T;
}

/** Numbers from 0 up to, and without, 1, that the state at the beginning determines. */
export function mulberry32(state: number): () => number {
  let now = state | 0;
  return () => {
    now = (now + 0x6d2b79f5) | 0;
    let mixed = Math.imul(now ^ (now >>> 15), 1 | now);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Begun with a digest of the parts: the same parts, the same choices. */
export function randomOf(...parts: readonly (string | number)[]): Random {
  const next = mulberry32(createHash('sha256').update(parts.join('/')).digest().readUInt32LE());
  return { next, between, weighted };

  function between(low: number, high: number): number {
    return low + Math.floor(next() * (high - low + 1));
  }

  function weighted<T>(entries: readonly (readonly [weight: number, value: T])[]): T {
    let left = next() * entries.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of entries) {
      left -= weight;
      if (left < 0) return value;
    }
    throw new RangeError('weighted: no entries');
  }
}
