import { setTimeout as sleep } from 'node:timers/promises';
import { randomOf } from '../lib/random.ts';
import { type Stopwatch, stopwatch } from '../lib/stopwatch.ts';
import type { Arena } from './arena.ts';
import type { ClientProcesses } from './processes.ts';

const KILL_EVERY_MILLIS = [3000, 7000] as const;
/** When the database is killed, as parts of the storm. A short storm has time for the first only. */
const DATABASE_KILLS = [0.4, 0.75] as const;
const SHORT_STORM_SECONDS = 20;
/** What clients do after the database is back. */
const AFTERMATH_MILLIS = 3000;

/** Kills processes of clients, one after the other, for as long as the storm lasts. */
export async function killProcesses(processes: ClientProcesses, seed: number, seconds: number): Promise<void> {
  const random = randomOf(seed, 'kills');
  const { seconds: elapsed } = stopwatch();
  for (;;) {
    const millis = random.between(...KILL_EVERY_MILLIS);
    if (elapsed() + millis / 1000 > seconds) break;
    await sleep(millis);
    processes.killOne();
  }
  await sleep(Math.max(0, seconds - elapsed()) * 1000);
}

/** Kills the database in the storm. @returns how often */
export async function killDatabase(
  database: Pick<Arena, 'killAndRestart'>,
  seconds: number,
  say: Stopwatch['say'],
): Promise<number> {
  const { seconds: elapsed } = stopwatch();
  let kills = 0;
  for (const part of DATABASE_KILLS) {
    const wait = part * seconds - elapsed();
    // A slow machine needs the time to start it again: what is over is over.
    if (kills > 0 && (seconds < SHORT_STORM_SECONDS || wait < 0)) break;
    await sleep(wait * 1000);
    kills++;
    await database.killAndRestart();
    say('the database was killed, and answers again');
    await sleep(AFTERMATH_MILLIS);
  }
  return kills;
}
