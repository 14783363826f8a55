import { randomBytes } from 'node:crypto';
import { type DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { type IdempotencyHandle, idempotent } from '../src/index.ts';
import { dynamoDBStore } from '../src/stores/dynamodb.ts';
import { apiResponse } from '../tools/api-responses.ts';
import { context, httpEvent } from './event.ts';
import type { Finding, Measurement } from './finding.ts';
import { itemBytes, writeUnits } from './item-size.ts';
import { type Handler, ourHandler, peerHandler, type SideOptions } from './sides.ts';
import type { Local } from './table.ts';

const SIZES = [500, 4000, 20_000, 200_000];
const TARGET_SIZE = 20_000;
const TARGET = 0.4;

const STEPS = 100;
const STEP_BYTES = 4000;
const STEPS_TARGET = 900;
/** Without a claim, and without a fence of steps: what the bytes alone cost. */
const UNITS_TARGET = 7;
const UNITS_FLOOR = 6;
const STEPS_FLOOR = 302;

/** DynamoDB, on demand, us-east-1 (aws.amazon.com/dynamodb/pricing/on-demand), as of 2026-11-24. */
export const DOLLARS_PER_MILLION_WRITE_UNITS = 0.625;

const MAKERS = { ours: ourHandler, peer: peerHandler } as const;
type Make = (client: DynamoDBClient, options: SideOptions) => Handler;

interface Units {
  readonly first: number;
  readonly replay: number;
}

/** Write units of a first call, as DynamoDB Local says, and of a replay, by the size of the item in its way. */
export async function measureCapacity(local: Local, progress: (text: string) => void): Promise<Measurement> {
  const rows: (string | number)[][] = [];
  const findings: Finding[] = [];
  for (const size of SIZES) {
    progress(`${size} bytes`);
    const ours = await unitsOf(local, 'ours', size);
    const peer = await unitsOf(local, 'peer', size);
    rows.push([size, ours.first, peer.first, ours.replay, peer.replay, ...[ours, peer].map(money)]);
    if (size !== TARGET_SIZE) continue;
    findings.push(
      { name: 'Write units, first call, 20 KB', value: ours.first, unit: '', target: UNITS_TARGET, floor: UNITS_FLOOR },
      { name: 'Write units, first call, 20 KB', value: ours.first / peer.first, unit: "of the peer's", target: TARGET },
    );
  }
  return {
    subject: 'capacity',
    findings: [
      ...findings,
      {
        name: 'Write units, 100 steps of 4 KB',
        value: await unitsOfSteps(local, progress),
        unit: '',
        target: STEPS_TARGET,
        floor: STEPS_FLOOR,
      },
    ],
    tables: [
      {
        title: `Write units, and dollars for a million first calls ($${DOLLARS_PER_MILLION_WRITE_UNITS} for a million units, on demand, us-east-1, 2026-11-24)`,
        columns: ['bytes of JSON', 'first, ours', 'first, peer', 'replay, ours', 'replay, peer', '$, ours', '$, peer'],
        rows,
      },
    ],
  };
}

function money({ first }: Units): string {
  return (first * DOLLARS_PER_MILLION_WRITE_UNITS).toFixed(2);
}

/** Of a whole execution whose steps return what no compression makes smaller. */
async function unitsOfSteps(local: Local, progress: (text: string) => void): Promise<number> {
  progress(`${STEPS} steps`);
  const client = local.client();
  const units = counted(client);
  const store = dynamoDBStore({ tableName: await local.table('capacity-steps'), client });
  const saga = async (_id: string, { step }: IdempotencyHandle) => {
    for (let index = 0; index < STEPS; index++) {
      await step(`step-${index}`, async () => randomBytes(STEP_BYTES * 0.75).toString('base64'));
    }
  };
  await idempotent(saga, { store, operation: 'saga', key: (id) => id, passHandle: true })('one');
  client.destroy();
  return units.sum;
}

/** Counts what DynamoDB Local says. */
function counted(client: DynamoDBClient): { sum: number } {
  const units = { sum: 0 };
  client.middlewareStack.add(
    (next) => async (args) => {
      Object.assign(args.input, { ReturnConsumedCapacity: 'TOTAL' });
      const answer = await next(args);
      const { ConsumedCapacity } = answer.output as { ConsumedCapacity?: { CapacityUnits?: number } };
      units.sum += ConsumedCapacity?.CapacityUnits ?? Number.NaN;
      return answer;
    },
    { step: 'initialize' },
  );
  return units;
}

async function unitsOf(local: Local, side: keyof typeof MAKERS, size: number): Promise<Units> {
  const client = local.client();
  const tableName = await local.table(`capacity-${side}-${size}`);
  const units = counted(client);
  const make: Make = MAKERS[side];
  await make(client, { tableName, respond: () => apiResponse(size) })(httpEvent('key'), context());
  const admin = local.client();
  const { Items: [item = {}] = [] } = await admin.send(new ScanCommand({ TableName: tableName }));
  client.destroy();
  admin.destroy();
  return { first: units.sum, replay: writeUnits(itemBytes(item)) };
}
