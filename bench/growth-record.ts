import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type IdempotencyHandle, idempotent } from '../src/index.ts';
import { dynamoDBStore } from '../src/stores/dynamodb.ts';
import { context, httpEvent } from './event.ts';
import type { DetailTable } from './finding.ts';
import { instantClient, useInstantSend } from './instant-client.ts';
import { cpuMicros, elapsedMillis, median } from './rounds.ts';
import { ourHandler } from './sides.ts';
import type { Local } from './table.ts';

const STEPS = [0, 1, 5, 20, 50];
const ENTRIES = [100, 1000, 10_000];
const EXECUTIONS = 10;
const REPLAYS = 2000;

/** What an execution takes as its record grows by checkpoints: each step writes all that are there. */
export async function growthOfCheckpoints(local: Local, progress: (text: string) => void): Promise<DetailTable> {
  const client: DynamoDBClient = local.client();
  const store = dynamoDBStore({ tableName: await local.table('checkpoints'), client });
  const rows: (string | number)[][] = [];
  for (const count of STEPS) {
    progress(`${count} checkpoints`);
    const saga = async (_id: string, { step }: IdempotencyHandle) => {
      for (let index = 0; index < count; index++) await step(`step-${index}`, async () => ({ id: `result-${index}` }));
      return { count };
    };
    const run = idempotent(saga, { store, operation: 'saga', key: (id) => id, passHandle: true });
    const millis: number[] = [];
    for (let n = 0; n < EXECUTIONS; n++) millis.push(await elapsedMillis(() => run(`${count}-${n}`)));
    const whole = median(millis);
    rows.push([count, whole.toFixed(1), count === 0 ? '' : (whole / (count + 2)).toFixed(2)]);
  }
  client.destroy();
  return {
    title: 'Growth with checkpoints: milliseconds of an execution on DynamoDB Local',
    columns: ['steps', 'execution', 'for each request'],
    rows,
  };
}

/** What a cached replay takes, and its memory, as the cache fills. */
export async function growthOfCache(progress: (text: string) => void): Promise<DetailTable> {
  const rows: (string | number)[][] = [];
  const undo = useInstantSend({});
  for (const entries of ENTRIES) {
    progress(`${entries} cache entries`);
    rows.push(await cacheOf(entries, instantClient()));
  }
  undo();
  return {
    title: 'Growth with the cache: a cached replay, Middy included',
    columns: ['entries', 'CPU, µs', 'bytes of heap an entry'],
    rows,
  };
}

async function cacheOf(entries: number, client: DynamoDBClient): Promise<(string | number)[]> {
  const handler = ourHandler(client, { tableName: 'idempotency' }, { cache: { maxEntries: entries } });
  const before = heapBytes();
  for (let index = 0; index < entries; index++) await handler(httpEvent(`key-${index}`), context());
  const bytes = (heapBytes() - before) / entries;
  const replay = (index: number) => handler(httpEvent(`key-${(index * 7919) % entries}`), context());
  await cpuMicros(REPLAYS, replay);
  // What few entries hold is less than what else comes and goes.
  return [entries, (await cpuMicros(REPLAYS, replay)).toFixed(0), entries < 1000 ? '' : bytes.toFixed(0)];
}

function heapBytes(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
