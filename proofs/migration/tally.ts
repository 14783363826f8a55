import type { Reason } from './judge.ts';
import { playSeed, type Ran } from './schedule.ts';

/** What many schedules came to. */
export interface Tally {
  schedules: number;
  calls: number;
  effects: number;
  /** Writes that were refused because a transaction was under way. */
  conflicts: number;
  readonly doubles: Record<Reason, number>;
  /** The seeds in which something happened that Powertools alone does not explain. */
  readonly failed: number[];
}

export async function playMany(first: number, schedules: number, options: { readonly alone?: boolean } = {}) {
  const tally: Tally = {
    schedules,
    calls: 0,
    effects: 0,
    conflicts: 0,
    doubles: { 'its time was over': 0, 'a late write of the old code': 0, UNEXPLAINED: 0 },
    failed: [],
  };
  for (let seed = first; seed < first + schedules; seed++) {
    const ran = await playSeed(seed, options);
    tally.calls += ran.calls.length;
    tally.effects += ran.calls.filter(({ effectAt }) => effectAt !== undefined).length;
    tally.conflicts += ran.conflicts;
    for (const { reason } of ran.doubles) tally.doubles[reason]++;
    if (isBroken(ran)) tally.failed.push(seed);
  }
  return tally;
}

function isBroken({ doubles, foreign }: Ran): boolean {
  return foreign.length > 0 || doubles.some(({ reason }) => reason === 'UNEXPLAINED');
}

/** A schedule step by step, and what is wrong in it. */
export async function explain(seed: number): Promise<{ readonly text: string; readonly isBroken: boolean }> {
  const ran = await playSeed(seed);
  const doubles = ran.doubles.map(({ first, second, reason }) => `${second.name} after ${first.name}: ${reason}`);
  const foreign = ran.foreign.map(({ name }) => `${name} was answered by no execution of its key`);
  return { text: [`Seed ${seed}`, ...ran.story, ...doubles, ...foreign].join('\n'), isBroken: isBroken(ran) };
}
