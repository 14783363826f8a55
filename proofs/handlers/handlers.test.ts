import { checkIdempotency, type Finding } from 'middy-idempotency/testing';
import { describe, expect, it } from 'vitest';
import { randomOf } from '../lib/random.ts';
import { build, effects, eventOf } from './build.ts';
import { type Mistake, plant } from './mistakes.ts';
import { generate } from './program.ts';

/** How many handlers of each kind. `npm run test:fast` takes fewer. */
const HANDLERS = Number(process.env['GENERATED_HANDLERS'] ?? 200);
const seeds = Array.from({ length: HANDLERS }, (_, seed) => seed);

const OF_GUARD: readonly Mistake['kind'][] = ['a failure that is stored', 'a guard whose key is the time'];
const isSeen = (seenAt: Finding['seenAt'], name: string) =>
  seenAt.some(({ place, fault }) => place === name || fault === 'none');

describe('the check of handlers', () => {
  it(`has no finding in ${HANDLERS} generated handlers that are safe to retry`, { timeout: 600_000 }, async () => {
    for (const seed of seeds) {
      const program = generate(randomOf('right', seed));
      const { findings } = await checkIdempotency({ handler: build(program), event: eventOf(program), effects });
      expect(findings, JSON.stringify({ seed, program })).toEqual([]);
    }
  });

  it(`finds each of ${HANDLERS} planted mistakes, and names its effect`, { timeout: 600_000 }, async () => {
    const missed: unknown[] = [];
    for (const seed of seeds) {
      const random = randomOf('wrong', seed);
      const program = generate(random);
      const mistake = plant(program, random);
      const { findings } = await checkIdempotency({
        handler: build(program, mistake),
        event: eventOf(program),
        effects,
      });
      const name = `work.${mistake.effect}`;
      const isNamed = findings.some(({ effect, place }) => effect === name || place === name);
      // Of the whole guard: the first place where it shows is another effect, perhaps.
      const isOfGuard = OF_GUARD.includes(mistake.kind) && findings.some(({ seenAt }) => isSeen(seenAt, name));
      if (!isNamed && !isOfGuard) {
        missed.push({ seed, mistake, program, findings: findings.map(({ message }) => message) });
      }
    }
    expect(missed).toEqual([]);
  });
});
