import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { findRuntime, freePort, type OwnDynamoDB, startOwnDynamoDBLocal } from '../../infra/local/dynamodb-local.ts';
import { createTable } from '../../infra/local/tables.ts';

export const TABLE_NAME = 'chaos';

/** What is killed is a process, not the machine: files in memory outlive it, and cost no time of a busy disk. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface Database {
  readonly endpoint: string;
  /** Straight to it, past the proxy. */
  readonly client: DynamoDBClient;
  /** SIGKILL, and another one on the same data and port. Resolves when it answers again. */
  killAndRestart(): Promise<void>;
  stop(): Promise<void>;
}

/** DynamoDB Local with its data in files, and the table in it. @throws Error that says what to install */
export async function startDatabase(): Promise<Database> {
  // What is killed of a container is the client that watches it.
  if (findRuntime() !== 'java') throw new Error('Here DynamoDB Local must run in Java 17 or later, to be killed.');
  const path = await mkdtemp(join(FOLDER, 'chaos-dynamodb-'));
  const port = await freePort();
  const start = () => startOwnDynamoDBLocal({ port, path });
  let running: OwnDynamoDB = await start();
  let isStopping = false;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({
    endpoint: running.endpoint,
    region: 'eu-central-1',
    credentials,
    maxAttempts: 1,
  });
  await createTable(client, { tableName: TABLE_NAME, partitionKey: 'id', ttlAttribute: 'expiration' });
  return {
    endpoint: running.endpoint,
    client,
    async killAndRestart() {
      await running.kill();
      if (isStopping) return;
      running = await start();
      if (isStopping) await running.stop();
    },
    async stop() {
      isStopping = true;
      client.destroy();
      await running.stop();
      await rm(path, { recursive: true, force: true });
    },
  };
}
