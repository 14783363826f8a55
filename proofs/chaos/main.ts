import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand, type SettingsOf, type Stop } from '../../tools/command.ts';
import { oneOf, seed, whole } from '../../tools/options.ts';
import { randomOf } from '../lib/random.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { startArena } from './arena.ts';
import { trueTime } from './clock.ts';
import { TABLE_NAME } from './database.ts';
import { seededFaults } from './faults.ts';
import { killDatabase, killProcesses } from './kills.ts';
import { ClientProcesses } from './processes.ts';
import { explain, figures, hasHappened } from './report.ts';
import { STORES } from './store.ts';
import { CLOCK_SKEW_MILLIS, MAX_LEASE_MILLIS } from './terms.ts';
import { verdict } from './verdict.ts';

const PROCESSES = 4;
const PROBES = 20;

const OPTIONS = {
  seed: seed(
    'Chooses the faults, what the handlers do, and which process is killed. The same seed makes the same choices. How the ' +
      'processes interleave is up to the machine.',
  ),
  seconds: whole('How long the storm lasts.', { from: 5, to: 600, or: 45 }),
  store: oneOf('The store: that of DynamoDB with the SDK or without it, or that of another database.', STORES),
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
  const faults = seededFaults(seed);
  const arena = await startArena(store, faults, time);
  stops.push(arena.stop);
  say(`${arena.name} answers`);
  const given = { seed, store, endpoint: arena.endpoint, tableName: TABLE_NAME };
  const processes = new ClientProcesses(given, folder, time, randomOf(seed, 'processes'));
  stops.push(() => processes.killAll());

  processes.storm(PROCESSES, clientsPerProcess);
  say('the storm begins');
  const [, databaseKills] = await Promise.all([
    killProcesses(processes, seed, seconds),
    killDatabase(arena, seconds, say),
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
  const judged = verdict(processes.read(), await arena.witness());
  const figured = {
    verdict: judged,
    faults,
    requests: arena.requests(),
    database: arena.name,
    processes: processes.counts,
  };
  say('every key was asked once more\n');
  for (const line of explain(judged)) log(line);
  for (const line of figures({ ...figured, databaseKills, seconds: elapsed() })) log(line);
  const happened = hasHappened(judged, stormUntil, store !== 'redis');
  if (!happened)
    log(
      'Too little happened in the storm to show anything: the machine is too slow, or too busy: try fewer --clients.',
    );
  return happened && judged.violations.length === 0;
}

await runCommand({
  name: 'test:chaos',
  about: `
    Hundreds of clients in several processes send requests and retries through a proxy to DynamoDB Local, PostgreSQL or Redis,
    which has its data on disk. The proxy drops, delays and duplicates requests, and refuses those to DynamoDB. Processes of clients
    and the database are killed in the middle. Then the history is judged. DynamoDB Local needs Java 17 or later. Ctrl-C ends
    everything.`,
  options: OPTIONS,
  run,
});
