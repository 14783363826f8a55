import { type DynamoDBClient, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { dynamoDBStore } from '../src/stores/dynamodb.ts';
import { startByteCounter } from './byte-counter.ts';
import { context, httpEvent, RESPONSE } from './event.ts';
import type { Finding, Measurement } from './finding.ts';
import { type Handler, ourHandler, peerHandler, peerWithPut, type SideOptions, transactionHandler } from './sides.ts';
import type { Local } from './table.ts';

const ONE_TRANSACTION = 'first call, `idempotentTransaction`';
const SITUATIONS = [
  'first call',
  'replay',
  'cached replay',
  'in-flight rejection',
  'takeover',
  ONE_TRANSACTION,
] as const;
type Situation = (typeof SITUATIONS)[number];
const TARGETS: Readonly<Record<Situation, number>> = {
  'first call': 2,
  replay: 1,
  'cached replay': 0,
  'in-flight rejection': 1,
  takeover: 3,
  [ONE_TRANSACTION]: 1,
};

interface Side {
  readonly make: (client: DynamoDBClient, options: SideOptions) => Handler;
  /** With one write of its own. */
  readonly withPut: (client: DynamoDBClient, tableName: string, orders: string) => Handler;
  /** Until when an execution may run, epoch milliseconds. */
  readonly leaseAttribute: string;
}
const SIDES: Readonly<Record<'ours' | 'peer', Side>> = {
  ours: {
    make: ourHandler,
    withPut: (client, tableName, orders) => transactionHandler(dynamoDBStore({ tableName, client }), orders),
    leaseAttribute: 'leaseUntil',
  },
  peer: { make: peerHandler, withPut: peerWithPut, leaseAttribute: 'in_progress_expiration' },
};

interface Traffic {
  readonly requests: number;
  readonly bytes: number;
}

/** Requests, and bytes both ways, TCP payload without TLS. */
export async function measureWire(local: Local, progress: (text: string) => void): Promise<Measurement> {
  const ours = await trafficOf('ours', local, progress);
  const peer = await trafficOf('peer', local, progress);
  const cells = ({ requests, bytes }: Traffic) => [requests, bytes];
  const beside = (situation: Situation) => (situation === ONE_TRANSACTION ? 'peer, with a put' : 'peer');
  return {
    subject: 'wire',
    findings: SITUATIONS.map((situation): Finding => {
      return {
        name: `Requests, ${situation}`,
        value: ours[situation].requests,
        unit: `(${beside(situation)}: ${peer[situation].requests})`,
        target: TARGETS[situation],
        floor: TARGETS[situation],
      };
    }),
    tables: [
      {
        title: 'On the wire',
        columns: ['', 'requests, ours', 'bytes', 'requests, peer', 'bytes'],
        rows: SITUATIONS.map((situation) => [situation, ...cells(ours[situation]), ...cells(peer[situation])]),
      },
    ],
  };
}

async function trafficOf(name: keyof typeof SIDES, local: Local, progress: (text: string) => void) {
  const { make, withPut, leaseAttribute } = SIDES[name];
  const wire = await startByteCounter(local.endpoint);
  const client = local.client({ endpoint: wire.endpoint });
  const admin = local.client();
  const tableName = await local.table(`wire-${name}`);
  let requests = 0;
  client.middlewareStack.add(
    (next) => (args) => {
      requests++;
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const during = async (call: () => Promise<unknown>): Promise<Traffic> => {
    const before = { requests, bytes: wire.bytes() };
    await call();
    return { requests: requests - before.requests, bytes: wire.bytes() - before.bytes };
  };
  const handler = make(client, { tableName });
  const cached = make(client, { tableName, cache: true });
  const ask = (of: Handler, key: string) => of(httpEvent(key), context());
  progress(name);
  await ask(handler, 'connect');

  const measured: [Situation, Traffic][] = [];
  measured.push(['first call', await during(() => ask(handler, 'one'))]);
  measured.push(['replay', await during(() => ask(handler, 'one'))]);
  await ask(cached, 'two');
  measured.push(['cached replay', await during(() => ask(cached, 'two'))]);

  const running = await execution(make, client, tableName, 'three');
  measured.push(['in-flight rejection', await during(() => refused(ask(handler, 'three')))]);
  await running.end();

  const crashed = await execution(make, client, tableName, 'four');
  await endLease(admin, tableName, leaseAttribute);
  measured.push(['takeover', await during(() => ask(handler, 'four'))]);
  await crashed.end();

  const once = withPut(client, tableName, await local.table(`wire-orders-${name}`));
  measured.push([ONE_TRANSACTION, await during(() => ask(once, 'five'))]);

  client.destroy();
  admin.destroy();
  wire.close();
  return Object.fromEntries(measured) as Record<Situation, Traffic>;
}

/** One that has claimed, and does not end by itself. */
async function execution(make: Side['make'], client: DynamoDBClient, tableName: string, key: string) {
  const work = Promise.withResolvers<object>();
  const begun = Promise.withResolvers<void>();
  const respond = () => {
    begun.resolve();
    return work.promise;
  };
  const ended = make(client, { tableName, respond })(httpEvent(key), context()).catch(() => undefined);
  await begun.promise;
  return {
    async end() {
      work.resolve(RESPONSE);
      await ended;
    },
  };
}

async function refused(answer: Promise<unknown>): Promise<void> {
  const isRefused = await answer.then(
    () => false,
    () => true,
  );
  if (!isRefused) throw new Error('nothing was rejected');
}

/** As if the execution had begun long ago. */
async function endLease(admin: DynamoDBClient, tableName: string, attribute: string): Promise<void> {
  const { Items = [] } = await admin.send(
    new ScanCommand({
      TableName: tableName,
      FilterExpression: '#status <> :completed',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: { ':completed': { S: 'COMPLETED' } },
    }),
  );
  const [item, ...others] = Items;
  if (item?.['id'] === undefined || others.length > 0) throw new Error('not one record is in progress');
  await admin.send(
    new UpdateItemCommand({
      TableName: tableName,
      Key: { id: item['id'] },
      UpdateExpression: 'SET #lease = :over',
      ExpressionAttributeNames: { '#lease': attribute },
      ExpressionAttributeValues: { ':over': { N: String(Date.now() - 10_000) } },
    }),
  );
}
