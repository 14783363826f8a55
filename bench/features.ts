import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { type IdempotencyHandle, idempotent } from '../src/index.ts';
import { dynamoDBStore, type TransactionItem } from '../src/stores/dynamodb.ts';
import { incompressible } from '../tools/api-responses.ts';
import type { DetailTable } from './finding.ts';
import { elapsedMillis, median } from './rounds.ts';
import type { Local } from './table.ts';

const CALLS = 60;
const WORK_MILLIS = 300;
const PART_BYTES = 800_000;

type Handle = IdempotencyHandle<TransactionItem>;
type Work = (id: string, handle: Handle) => Promise<unknown>;

/** What each feature adds to a call: requests, and milliseconds on DynamoDB Local. */
export async function measureFeatures(local: Local, progress: (text: string) => void): Promise<DetailTable> {
  const client = local.client();
  const tableName = await local.table('features');
  const orders = await local.table('orders');
  const requests = counted(client);
  const store = dynamoDBStore({ tableName, client });
  const rows: (string | number)[][] = [];

  const measure = async (name: string, work: Work) => {
    progress(name);
    const run = idempotent(work, { store, operation: name, key: (id) => id, passHandle: true });
    await run('warm');
    const before = requests();
    const millis: number[] = [];
    for (let n = 0; n < CALLS; n++) millis.push(await elapsedMillis(() => run(`${n}`)));
    const made = (requests() - before) / CALLS;
    rows.push([name, made.toFixed(1), median(millis).toFixed(2)]);
    return run;
  };

  await measure('an execution', async () => 'done');
  await measure('with a step', async (_id, { step }) => step('one', async () => 'result'));
  await measure('with complete', async (_id, { complete }) => complete('done').then(() => 'done'));
  await measure('with transact', async (id, { transact }) => {
    await transact([{ Put: { TableName: orders, Item: { id } } }], 'done');
    return 'done';
  });
  await measure('with extend', async (_id, { extend }) => extend(120_000));
  const bytes = incompressible(PART_BYTES).toString('base64');
  const large = await measure('1 MB that nothing compresses', async () => bytes);
  await replays('its replay', large);
  await waiting();
  client.destroy();
  return { title: 'Cost of each feature on DynamoDB Local', columns: ['', 'requests', 'ms'], rows };

  async function replays(name: string, run: (id: string) => Promise<unknown>): Promise<void> {
    progress(name);
    const before = requests();
    const millis: number[] = [];
    for (let n = 0; n < CALLS; n++) millis.push(await elapsedMillis(() => run(`${n}`)));
    rows.push([name, ((requests() - before) / CALLS).toFixed(1), median(millis).toFixed(2)]);
  }

  /** How long after the other one's end a duplicate has the outcome. */
  async function waiting(): Promise<void> {
    progress('waiting');
    const late: number[] = [];
    let looks = 0;
    for (let n = 0; n < 8; n++) {
      const work = async () => new Promise((resolve) => setTimeout(resolve, WORK_MILLIS, 'done'));
      const options = { store, operation: 'waits', key: (id: string) => id, onInFlight: { waitMillis: 5000 } };
      const run = idempotent((_id: string) => work(), options);
      const before = requests();
      const first = run(`${n}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
      const second = run(`${n}`);
      await first;
      late.push(await elapsedMillis(() => second));
      looks += requests() - before - 2;
    }
    rows.push([
      `waiting for work of ${WORK_MILLIS} ms, after its end`,
      (looks / 8).toFixed(1),
      median(late).toFixed(2),
    ]);
  }
}

function counted(client: DynamoDBClient): () => number {
  let count = 0;
  client.middlewareStack.add(
    (next) => (args) => {
      count++;
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return () => count;
}
