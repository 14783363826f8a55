import { describe, expect, it } from 'vitest';
import { ACCIDENTS } from '../../../docs/playground/schedules/accidents.ts';
import { READY } from '../../../docs/playground/schedules/index.ts';
import { KILLED, killAt, NOT_KILLED } from '../../../docs/playground/schedules/kills.ts';
import { NOT_SHOWN, PROMISES } from '../../../docs/playground/schedules/promises.ts';
import { endOf, playReady, type Ready } from '../../../docs/playground/schedules/ready.ts';
import { FEATURES } from '../../../proofs/kill/features.ts';
import { judge } from '../../../proofs/oracle/oracle.ts';
import { page } from '../../support/pages.ts';

/** Its oracle would judge a guard, and there is none. */
const guarded = (ready: Ready) => ready.setup.work !== 'unguarded';

async function endAndVerdict(ready: Ready) {
  const { states, history } = await playReady(ready);
  const state = states[states.length - 1];
  if (state === undefined) throw new Error('a run without a state');
  return { state, end: endOf(state), violations: guarded(ready) ? judge(history) : [] };
}

describe('ready schedules of the playground', () => {
  it.each([...ACCIDENTS, ...PROMISES])('$id ends as it says, and the oracle finds nothing', async (ready) => {
    const { end, violations } = await endAndVerdict(ready);
    expect({ end, violations }).toEqual({ end: ready.ends, violations: [] });
  });

  it('show every promise, or there is a reason why not', () => {
    const wanted = Array.from({ length: 16 }, (_, index) => `i${index + 1}`);
    const shown = [...PROMISES.map(({ id }) => id), ...Object.keys(NOT_SHOWN)];
    expect(wanted.filter((id) => !shown.includes(id))).toEqual([]);
  });

  it('have ids that fit into a link, each its own', () => {
    const ids = READY.map(({ id }) => id);
    expect(ids.filter((id) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('have a title and a plain sentence', () => {
    const unclear = READY.filter(({ title, lookFor }) => {
      const longest = Math.max(...lookFor.split(/[.:;] /).map((sentence) => sentence.split(' ').length));
      return title === '' || !lookFor.endsWith('.') || longest > 25;
    });
    expect(unclear.map(({ id }) => id)).toEqual([]);
  });
});

/** What the kill table of docs/proofs.md says of each feature, in the order of `FEATURES`. */
function killTable(): { readonly places: number; readonly effects: number }[] {
  const [, table = ''] = page('docs/proofs.md').split('| feature | places | kills |');
  const rows = table.split('\n').slice(2, 2 + FEATURES.length);
  return rows.map((row) => {
    const [, , places, , , effects] = row.split('|');
    return { places: Number(places), effects: Number(effects) };
  });
}

describe('kills of the playground', () => {
  const table = killTable();

  it.each(KILLED)(
    '$feature: every place ends as it says, with as many effects as in the kill table',
    async (killed) => {
      const wrong: unknown[] = [];
      let effects = 0;
      for (const place of killed.places) {
        const ready = killAt(killed, place);
        const { state, end, violations } = await endAndVerdict(ready);
        effects += state.charges.length;
        if (JSON.stringify(end) !== JSON.stringify(ready.ends) || violations.length > 0) {
          wrong.push({ id: ready.id, end, wanted: ready.ends, violations });
        }
      }
      const row = table[FEATURES.findIndex(({ name }) => name === killed.feature)];
      expect({ wrong, places: killed.places.length, effects }).toEqual({ wrong: [], ...row });
    },
  );

  it('are of every feature of the kill table, or there is a reason why not', () => {
    const shown = [...KILLED.map(({ feature }) => feature), ...Object.keys(NOT_KILLED)];
    expect(shown.sort()).toEqual(FEATURES.map(({ name }) => name).sort());
  });
});
