import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from '../../src/stores/dynamodb.ts';
import { runCommand, type Stop } from '../../test/support/command.ts';
import { startDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { createTable } from '../../tools/tables.ts';
import { Check } from './check.ts';
import { createGuards } from './guards.ts';
import { mixedLoad } from './mixed.ts';
import { readSettings, USAGE } from './settings.ts';
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
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
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

const startedAt = performance.now();
await runCommand({
  usage: USAGE,
  readSettings,
  async run({ seconds }, stops) {
    const { failures } = await load(seconds, stops);
    console.log(`${failures.length} failures, ${((performance.now() - startedAt) / 1000).toFixed(1)} seconds`);
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
