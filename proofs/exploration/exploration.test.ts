import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../lib/history.ts';
import { Automaton } from './automaton.ts';
import { type Configuration, configuration } from './configuration.ts';
import { SMALL } from './configurations.ts';
import { explore } from './explore.ts';
import { forget } from './forget.ts';
import { playSimulated } from './simulated.ts';
import { eventsOf, matters, type State } from './state.ts';

/** So many states there were when it was written: far fewer would show that something is not explored any more. */
const LEAST_STATES = new Map([
  ['two executions', 7000],
  ['two, a clock ahead', 11_000],
  ['two, one network fault', 4000],
  ['two, one network fault, a step', 13_000],
  ['a transaction and a claim, one network fault', 6000],
]);

describe('every schedule of a small world', () => {
  for (const small of SMALL) {
    it(`holds every promise: ${small.name}`, async () => {
      const report = await explore(small);
      for (const { violations, path } of report.found) expect.fail([...path, JSON.stringify(violations)].join('\n'));
      expect(report.isComplete).toBe(true);
      expect(report.states).toBeGreaterThan(LEAST_STATES.get(small.name) ?? Number.POSITIVE_INFINITY);
      expect(report.schedules).toBeGreaterThan(50_000);
    });
  }
});

describe('what the exploration leaves out', () => {
  const tiny = configuration('without waits', { waits: 0 });
  /** Further apart than the tolerance, and the oracle is not told: promises are broken. */
  const apart = configuration('clocks too far apart', { waits: 0, offsets: [0, 6000] });

  for (const world of [tiny, apart]) {
    it(`is nothing that one would see going through each schedule by itself: ${world.name}`, async () => {
      const [pruned, whole] = [await outcomes(world, true), await outcomes(world, false)];
      expect(pruned.endings).toEqual(whole.endings);
      expect(pruned.violations).toEqual(whole.violations);
      expect(pruned.schedules).toBe(whole.ends);
      expect(pruned.violations.size > 0).toBe(world === apart);
    });
  }
});

describe('the simulation, where all executions run together,', () => {
  for (const small of SMALL) {
    it(`has the same history for the same schedule: ${small.name}`, async () => {
      const schedules: { state: State; path: readonly string[] }[] = [];
      let ends = 0;
      await explore(small, { onEnd: (state, path) => ends++ % 30 === 0 && schedules.push({ state, path }) });
      let played = 0;
      for (const { state, path } of schedules) {
        const events = await playSimulated(small, path);
        if (events === undefined) continue;
        played++;
        for (const { id, isForgotten } of state.calls) {
          if (!isForgotten) expect(ofCall(eventsOf(state), id), path.join('\n')).toEqual(ofCall(events, id));
        }
      }
      expect(played).toBeGreaterThan(schedules.length / 2);
    });
  }
});

async function outcomes(world: Configuration, prunes: boolean) {
  const automaton = new Automaton(world);
  const endings = new Set<string>();
  const onEnd = (state: State) => {
    const { record, ...rest } = forget(state, automaton);
    endings.add(JSON.stringify([record?.value, eventsOf({ record, ...rest })]));
  };
  const { found, schedules, ends } = await explore(world, { prunes, maxFound: Number.POSITIVE_INFINITY, onEnd });
  const violations = new Set(found.flatMap((one) => one.violations.map((violation) => JSON.stringify(violation))));
  return { endings, violations, schedules, ends };
}

function ofCall(events: readonly HistoryEvent[], id: string): HistoryEvent[] {
  let hasEnded = false;
  const isTransaction = events.some(
    (event) => event.type === 'called' && event.call === id && event.transaction === true,
  );
  return events.filter((event) => {
    if (!('call' in event) || event.call !== id) return false;
    const isSeen = matters({ isTransaction, hasEnded }, event);
    hasEnded ||= event.type === 'ended';
    return isSeen;
  });
}
