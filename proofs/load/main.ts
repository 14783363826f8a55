import { setImmediate as nextTurn } from 'node:timers/promises';
import { runCommand, type Stop } from '../../tools/command.ts';
import { oneOf, whole } from '../../tools/options.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { Check } from './check.ts';
import { createGuards } from './guards.ts';
import { mixedLoad } from './mixed.ts';
import { soak, soakInMemory } from './soak.ts';
import { START, STORES, type StoreName } from './stores.ts';
import { storm } from './storm.ts';

const STORMS = [1000, 10_000] as const;
const MIXED_KEYS = 1000;
const WORK_MILLIS = 20;
const CLOSING_MILLIS = 1000;
/** With nothing left to do, a process ends by itself. */
const END_MILLIS = 5000;

async function load(name: StoreName, seconds: number, stops: Stop[]): Promise<Check> {
  const check = new Check();
  const { store, close } = await START[name](stops);
  const guards = createGuards(store, WORK_MILLIS);

  console.log('mixed load');
  await mixedLoad(guards, (keys) => keys < MIXED_KEYS, check);
  for (const duplicates of STORMS) for (const guard of guards) await storm(guard, duplicates, check);
  console.log(`soak of ${seconds} s`);
  await soak(guards, seconds, check);
  await soakInMemory(check);
  await close();
  await checkLeftovers(check);
  return check;
}

/** Every delay of a guard is cancelled, every socket closed. The server itself still runs, and is no leftover. */
async function checkLeftovers(check: Check): Promise<void> {
  const leftovers = () =>
    process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name.startsWith('TCP'));
  const until = performance.now() + CLOSING_MILLIS;
  // A socket is closed by both sides.
  while (leftovers().length > 0 && performance.now() < until) await nextTurn();
  const left = leftovers();
  check.that(left.length === 0, `${left.length} timers and sockets are left ${left.join(' ')}`);
}

const time = stopwatch();
await runCommand({
  name: 'test:load',
  about: `
    Storms of 1,000 and of 10,000 duplicates of one key, a mixed load and a soak, through the Middy middleware and through a
    guarded function, on DynamoDB Local, PostgreSQL or Redis. Fails when a key was executed more or less often than once, when an answer is wrong,
    when the heap grows beyond its bound, or when a timer or a socket is left. Ctrl-C ends everything.`,
  options: {
    seconds: whole('How long the soak lasts.', { from: 1, to: 3600, or: 20 }),
    store: oneOf('The store.', STORES),
  },
  takesEndpoint: true,
  async run({ seconds, store }, stops) {
    const { failures } = await load(store, seconds, stops);
    console.log(`${failures.length} failures, ${time.seconds().toFixed(1)} seconds`);
    return failures.length === 0;
  },
});
// After Ctrl-C, what ends everything is still at work.
if (process.exitCode !== 130) {
  setTimeout(() => {
    console.error(`the process does not end: ${process.getActiveResourcesInfo().join(' ')}`);
    process.exit(1);
  }, END_MILLIS).unref();
}
