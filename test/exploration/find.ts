import { PAIRS, SMALL } from './configurations.ts';
import { explore } from './explore.ts';

/** Of each of the larger configurations, first as much as this. */
const QUICK = { waits: 1 };

/** For `breaks.ts` of the simulation: how many states it takes to break a promise, and which, as JSON. */
const found = { states: 0, promises: [] as string[], configuration: '' };
const quick = PAIRS.map((configuration) => ({ ...configuration, ...QUICK }));
for (const configuration of [...SMALL, ...quick, ...PAIRS]) {
  const { states, found: all } = await explore(configuration, { maxStates: 300_000 });
  found.states += states;
  found.configuration = configuration.name;
  found.promises = [...new Set(all.flatMap(({ violations }) => violations.map(({ promise }) => promise)))];
  if (found.promises.length > 0) break;
}
console.log(JSON.stringify(found));
