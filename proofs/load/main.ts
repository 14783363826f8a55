import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { runCommand, type Stop } from '../../tools/command.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { whole } from '../../tools/options.ts';
import { createTable } from '../../tools/tables.ts';
import { stopwatch } from '../lib/stopwatch.ts';
import { Check } from './check.ts';
import { createGuards } from './guards.ts';
import { mixedLoad } from './mixed.ts';
import { soak, soakInMemory } from './soak.ts';
import { storm } from './storm.ts';

const STORMS = [1000, 10_000] as const;
const MIXED_KEYS = 1000;
const WORK_MILLIS = 20;
const MAX_SOCKETS = 100;
/** A request waits for a socket, too, when a thousand are sent at once. */
const REQUEST_TIMEOUT_MILLIS = 20_000;
/** With nothing left to do, a process ends by itself. */
const END_MILLIS = 5000;

async function load(seconds: number, stops: Stop[]): Promise<Check> {
  const check = new Check();
  const { endpoint, stop } = await startDynamoDBLocal();
  stops.push(stop);
  const client = new DynamoDBClient({
    endpoint,
    ...LOCAL_ACCESS,
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MILLIS,
      httpAgent: { maxSockets: MAX_SOCKETS },
      socketAcquisitionWarningTimeout: REQUEST_TIMEOUT_MILLIS,
    },
  });
  const tableName = `load-${process.pid}`;
  await createTable(client, { tableName, partitionKey: 'id', ttlAttribute: 'expiration' });
  const guards = createGuards(dynamoDBStore({ tableName, client }), WORK_MILLIS);

  console.log('mixed load');
  await mixedLoad(guards, (keys) => keys < MIXED_KEYS, check);
  for (const duplicates of STORMS) for (const guard of guards) await storm(guard, duplicates, check);
  console.log(`soak of ${seconds} s`);
  await soak(guards, seconds, check);
  await soakInMemory(check);
  client.destroy();
  checkLeftovers(check);
  return check;
}

/** Every delay of a guard is cancelled, every socket closed. DynamoDB Local itself still runs, and is no leftover. */
function checkLeftovers(check: Check): void {
  const left = process.getActiveResourcesInfo().filter((name) => name === 'Timeout' || name.startsWith('TCP'));
  check.that(left.length === 0, `${left.length} timers and sockets are left ${left.join(' ')}`);
}

const time = stopwatch();
await runCommand({
  name: 'test:load',
  about: `
    Storms of 1,000 and of 10,000 duplicates of one key, a mixed load and a soak, through the Middy middleware and through a
    guarded function, on DynamoDB Local. Fails when a key was executed more or less often than once, when an answer is wrong,
    when the heap grows beyond its bound, or when a timer or a socket is left. Ctrl-C ends everything.`,
  options: { seconds: whole('How long the soak lasts.', { from: 1, to: 3600, or: 20 }) },
  takesEndpoint: true,
  async run({ seconds }, stops) {
    const { failures } = await load(seconds, stops);
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
