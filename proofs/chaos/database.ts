import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { freePort, type OwnDynamoDB, startOwnDynamoDBLocal } from '../../tools/dynamodb-local.ts';
import { findRuntime } from '../../tools/dynamodb-local-program.ts';
import { createTable } from '../../tools/tables.ts';
import { EFFECTS_TABLE } from './effects.ts';

export const TABLE_NAME = 'chaos';

/** What is killed is a process, not the machine: files in memory outlive it, and cost no time of a busy disk. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface Database {
  readonly endpoint: string;
  /** Straight to it, past the proxy. */
  readonly client: DynamoDBClient;
  /** Whether requests are let through to it. */
  readonly isUp: boolean;
  /** SIGKILL, and another one on the same data and port. Resolves when it answers again. */
  killAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

/** DynamoDB Local with its data in files, and the table in it. @throws Error that says what to install */
export async function startDatabase(): Promise<Database> {
  // What is killed of a container is the client that watches it.
  if (findRuntime() === 'docker') throw new Error('Here DynamoDB Local must run in Java 17 or later, to be killed.');
  const path = await mkdtemp(join(FOLDER, 'chaos-dynamodb-'));
  const port = await freePort();
  const start = () => startOwnDynamoDBLocal({ port, path });
  let running: OwnDynamoDB = await start();
  let isStopping = false;
  const client = new DynamoDBClient({
    endpoint: running.endpoint,
    ...LOCAL_ACCESS,
    maxAttempts: 1,
  });
  let isUp = true;
  await createTable(client, { tableName: TABLE_NAME, partitionKey: 'id', ttlAttribute: 'expiration' });
  await createTable(client, { tableName: EFFECTS_TABLE, partitionKey: 'id' });
  await warmUp(client);
  return {
    endpoint: running.endpoint,
    client,
    get isUp() {
      return isUp;
    },
    async killAndRestart() {
      await running.kill();
      isUp = false;
      if (isStopping) return;
      running = await start();
      if (isStopping) return running.stop();
      await warmUp(client);
      isUp = true;
    },
    async stop() {
      isStopping = true;
      client.destroy();
      await running.stop();
      await rm(path, { recursive: true, force: true });
    },
  };
}

const WARM_UP_WRITES = 400;
const WARM_UP_AT_ONCE = 10;

/** Its first requests take it a hundred times as long as later ones: a storm that meets it cold is a storm of timeouts. */
async function warmUp(client: DynamoDBClient): Promise<void> {
  let left = WARM_UP_WRITES;
  const command = new PutItemCommand({ TableName: TABLE_NAME, Item: { id: { S: 'warm-up' } } });
  const writer = async () => {
    while (left-- > 0) await client.send(command);
  };
  await Promise.all(Array.from({ length: WARM_UP_AT_ONCE }, writer));
}
