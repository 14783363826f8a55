import type { Random } from '../lib/random.ts';
import { type Program, pick } from './program.ts';

/** One thing that makes a program unsafe to retry. */
export interface Mistake {
  readonly kind: (typeof MISTAKES)[number];
  /** The effect that it is about. */
  readonly effect: string;
}

const MISTAKES = [
  'no key',
  'a random key',
  'a key with the number of the attempt',
  'a key that counts',
  'an error that is swallowed',
  'an effect that is not awaited',
  'an effect in front of the guard',
  'an effect behind the transaction',
  'a failure that is stored',
  'a guard whose key is the time',
] as const;

const OF_PLANS: readonly Mistake['kind'][] = ['an effect in front of the guard', 'a guard whose key is the time'];

/** A mistake that this program can have. */
export function plant(program: Program, random: Random): Mistake {
  const possible = MISTAKES.filter((kind) => {
    if (program.guard === 'transaction') return OF_PLANS.includes(kind);
    // The client sends the key of an HTTP request.
    if (kind === 'a guard whose key is the time') return program.guard !== 'http';
    return kind !== 'an effect behind the transaction' || program.transacts;
  });
  const kind = pick(random, possible);
  const effects = program.effects.map(({ name }) => name);
  return { kind, effect: kind === 'an effect behind the transaction' ? (effects.at(-1) ?? '') : pick(random, effects) };
}
