import { type Choices, GivenChoices, SeededChoices } from './choices.ts';
import type { PlanLimits } from './plan.ts';
import { Printer } from './print.ts';
import { runSchedule } from './schedule.ts';
import { limitsOf } from './seeds.ts';
import { shrink } from './shrink.ts';

/** What one seed does, step by step. One that breaks a promise is made as short as it gets, and still breaks it. */
export async function explain(seed: number): Promise<{ readonly text: string; readonly failed: boolean }> {
  const limits = limitsOf(seed);
  const choices = new SeededChoices(seed);
  const { violations } = await runSchedule(choices, limits);
  const [violation] = violations;
  if (violation === undefined) return { text: await print(new SeededChoices(seed), limits), failed: false };
  const short = await shrink(choices.taken, limits, violation);
  const text = await print(new GivenChoices(short), limits);
  return {
    text: `seed ${seed}, made shorter: ${choices.taken.length} choices -> ${short.length}\n${text}`,
    failed: true,
  };
}

async function print(choices: Choices, limits: PlanLimits): Promise<string> {
  const printer = new Printer();
  return printer.end(await runSchedule(choices, limits, printer.watch));
}
