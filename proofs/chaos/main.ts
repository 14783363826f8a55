import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startProxy } from '../../test/support/proxy.ts';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { seed, whole } from '../../tools/options.ts';
import { STORE } from '../lib/lite-store.ts';
import { randomOf } from '../lib/random.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { trueTime } from './clock.ts';
import { type Database, startDatabase, TABLE_NAME } from './database.ts';
import { type Faults, seededFaults } from './faults.ts';
import { killDatabase, killProcesses } from './kills.ts';
import { ClientProcesses } from './processes.ts';
import { explain, figures, hasHappened } from './report.ts';
import { CLOCK_SKEW_MILLIS, MAX_LEASE_MILLIS } from './terms.ts';
import { verdict } from './verdict.ts';
import { createWitness, type Witness } from './witness.ts';

const PROCESSES = 4;
const PROBES = 20;

const OPTIONS = {
  seed: seed(
    'Chooses the faults, what the handlers do, and which process is killed. The same seed makes the same choices. How the ' +
      'processes interleave is up to the machine.',
  ),
  seconds: whole('How long the storm lasts.', { from: 5, to: 600, or: 45 }),
  store: STORE,
  clients: whole('How many clients. A slow machine has the time to answer few.', { from: 4, to: 1000, or: 240 }),
};

const log = (line: string) => console.log(line);

/** @returns whether every promise has held */
async function run({ seed, seconds, clients, store }: SettingsOf<typeof OPTIONS>, stops: Stop[]): Promise<boolean> {
  const { seconds: elapsed, say } = stopwatch();
  const clientsPerProcess = Math.ceil(clients / PROCESSES);
  log(
    `seed        ${seed}\nstore       ${store}\nclients     ${PROCESSES * clientsPerProcess} in ${PROCESSES} processes`,
  );

  const time = trueTime();
  const folder = await mkdtemp(join(tmpdir(), 'chaos-journals-'));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const database = await startDatabase();
  stops.push(database.stop);
  say('DynamoDB Local answers');
  const witness = createWitness(() => database.client, TABLE_NAME, time);
  const faults = seededFaults(seed);
  const proxy = await openProxy(database, witness, faults);
  stops.push(proxy.close);
  const given = { seed, store, endpoint: proxy.endpoint, tableName: TABLE_NAME };
  const processes = new ClientProcesses(given, folder, time, randomOf(seed, 'processes'));
  stops.push(() => processes.killAll());

  processes.storm(PROCESSES, clientsPerProcess);
  say('the storm begins');
  const [, databaseKills] = await Promise.all([
    killProcesses(processes, seed, seconds),
    killDatabase(database, seconds, say),
  ]);
  await processes.endStorm();
  faults.end();
  const stormUntil = time.now();
  say('the storm is over');

  // What was delayed arrives, and every lease runs out.
  await sleep(2 * MAX_LEASE_MILLIS + CLOCK_SKEW_MILLIS);
  const keys = new Set(processes.read().flatMap((entry) => (entry.type === 'called' ? [entry.key] : [])));
  await processes.probe([...keys], PROBES);
  processes.check();
  await witness.checkEffects();
  const judged = verdict(processes.read(), witness);
  const figured = { verdict: judged, faults, requests: proxy.requests(), processes: processes.counts };
  say('every key was asked once more\n');
  for (const line of explain(judged)) log(line);
  for (const line of figures({ ...figured, databaseKills, seconds: elapsed() })) log(line);
  const happened = hasHappened(judged, stormUntil);
  if (!happened)
    log(
      'Too little happened in the storm to show anything: the machine is too slow, or too busy: try fewer --clients.',
    );
  return happened && judged.violations.length === 0;
}

/** Every request meets its fault there, and is seen by the witness. */
async function openProxy(database: Database, witness: Witness, faults: Faults) {
  let requests = 0;
  const proxy = await startProxy({
    upstream: () => database.endpoint,
    deliver(copy) {
      if (!database.isUp) throw new Error('the database is down');
      return witness.deliver(copy);
    },
    decide({ operation }) {
      requests++;
      const fault = faults.next();
      return fault === 'throttle' && operation === 'TransactWriteItems' ? 'conflict' : fault;
    },
  });
  return { ...proxy, requests: () => requests };
}

await runCommand({
  name: 'test:chaos',
  about: `
    Hundreds of clients in several processes send requests and retries through a proxy to DynamoDB Local, which has its data on
    disk. The proxy drops, delays, duplicates and refuses requests. Processes of clients and the database are killed in the
    middle. Then the history is judged. Needs Java 17 or later. Ctrl-C ends everything.`,
  options: OPTIONS,
  run,
});
