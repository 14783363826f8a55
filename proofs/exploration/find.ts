import { PAIRS, SMALL } from './configurations.ts';
import { explore } from './explore.ts';

/** The larger configurations, but only as much of them as this. */
const quick = PAIRS.map((configuration) => ({ ...configuration, waits: 1 }));

/** For `breaks.ts` of the simulation: how many states it takes to break a promise, and which, as JSON. */
const found = { states: 0, promises: [] as string[], configuration: '' };
for (const configuration of [...SMALL, ...quick]) {
  const { states, found: all } = await explore(configuration, { maxStates: 300_000 });
  found.states += states;
  found.configuration = configuration.name;
  found.promises = [...new Set(all.flatMap(({ violations }) => violations.map(({ promise }) => promise)))];
  if (found.promises.length > 0) break;
}
console.log(JSON.stringify(found));
