import { expect, it } from 'vitest';
import { explain } from './explain.ts';
import { runSeeds } from './seeds.ts';

/** `npm run test:simulation` runs a hundred thousand, the mutation tests a few hundred for each mutant. */
const SCHEDULES = Number(process.env['SIMULATED_SCHEDULES'] ?? 3000);

it(`holds every promise in ${SCHEDULES} simulated schedules`, async () => {
  const { failed, schedules, counts } = await runSeeds({ first: 1_000_001, step: 1, schedules: SCHEDULES });
  for (const seed of failed) expect.fail((await explain(seed)).text);
  expect(schedules).toBe(SCHEDULES);
  if (SCHEDULES < 3000) return;
  // Otherwise they would show nothing.
  const met = [
    'fault: crash',
    'fault: lost answer',
    'fault: TTL',
    'fault: clock step',
    'fault: expired credentials',
    'fault: outage',
    'full',
    'timedOut',
    'extended',
    'stepBegan',
    'effect',
    'finished',
    'signalled',
    'wrote, given up by its client',
    'planFailed',
    'itemsRefused',
  ];
  const reported = [
    ...['takenOver', 'replayed', 'inFlight', 'waiting', 'leaseLost', 'completionFailed', 'released', 'held'],
    ...['checkpointed', 'stepSkipped', 'checkpointFailed', 'notReplayable'],
  ];
  for (const kind of [...met, ...reported.map((report) => `reported: ${report}`)]) {
    expect(counts.get(kind), kind).toBeGreaterThan(0);
  }
}, 120_000);

it('does the same again for the same seed', async () => {
  expect(await explain(123)).toEqual(await explain(123));
});
