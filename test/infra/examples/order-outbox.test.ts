import { randomUUID } from 'node:crypto';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { DeleteCommand, DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import type { Order } from '../../../infra/examples/order-outbox.ts';
import { pollStream } from '../../../infra/local/stream-source.ts';
import { LOCAL_ACCESS } from '../../../tools/clients.ts';
import {
  createQueue,
  drainDeadLetters,
  type LocalQueue,
  type LocalQueues,
  startLocalQueues,
} from '../../../tools/queues.ts';
import { lambdaContext } from '../../support/harness.ts';
import { useTable } from '../../support/table.ts';

const records = useTable();
const orders = useTable({ stream: true });
let queues: LocalQueues;
let queue: LocalQueue;
let example: typeof import('../../../infra/examples/order-outbox.ts');

beforeAll(async () => {
  queues = await startLocalQueues();
  queue = await createQueue(queues, 'orders', { visibilitySeconds: 30, maxReceiveCount: 3 });
  const environment = {
    IDEMPOTENCY_TABLE_NAME: records.tableName,
    ORDERS_TABLE_NAME: orders.tableName,
    QUEUE_URL: queue.url,
    AWS_ENDPOINT_URL_DYNAMODB: inject('dynamoDBEndpoint'),
    AWS_ENDPOINT_URL_SQS: queues.endpoint,
    AWS_REGION: LOCAL_ACCESS.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  example = await import('../../../infra/examples/order-outbox.ts');
});
beforeEach(() => drain());
afterAll(async () => {
  vi.unstubAllEnvs();
  await queues.stop();
});

const newOrder = (): Order => ({ id: randomUUID(), amount: 1999 });
const drain = () => drainDeadLetters({ ...queue, deadLetterUrl: queue.url });

/** What the table has of an order: itself, and what announces it. */
async function itemsOf(order: Order) {
  const documents = DynamoDBDocumentClient.from(orders.client);
  const { Items = [] } = await documents.send(new ScanCommand({ TableName: orders.tableName }));
  return Items.filter(({ id, event = '' }) => id.endsWith(order.id) || event.includes(order.id));
}

/** As TTL does in the end. */
async function forgetRecords(): Promise<void> {
  const documents = DynamoDBDocumentClient.from(records.client);
  const { Items = [] } = await documents.send(new ScanCommand({ TableName: records.tableName }));
  for (const { id } of Items) await documents.send(new DeleteCommand({ TableName: records.tableName, Key: { id } }));
}

/** Publishes what the stream has, until an event of this order has been sent so often. Answers the orders' events. */
async function published({ id }: Order, times: number, invoke = defaultInvoke()) {
  const { Table } = await orders.client.send(new DescribeTableCommand({ TableName: orders.tableName }));
  const client = new DynamoDBStreamsClient({ endpoint: inject('dynamoDBEndpoint'), ...LOCAL_ACCESS });
  const found: { id: string; type: string; order: Order }[] = [];
  const source = pollStream({
    client,
    streamArn: Table?.LatestStreamArn ?? '',
    filter: ({ dynamodb }) => dynamodb?.Keys?.['id']?.S?.startsWith('outbox#') === true,
    invoke,
    repeats: () => true,
    onError: () => undefined,
  });
  await vi.waitFor(
    async () => {
      found.push(...(await drain()).map((body) => JSON.parse(body)).filter(({ order }) => order.id === id));
      expect(found.length).toBeGreaterThanOrEqual(times);
    },
    { timeout: 20_000 },
  );
  await source.stop();
  client.destroy();
  return found;
}

function defaultInvoke() {
  return (event: DynamoDBStreamEvent) => example.publisher(event, lambdaContext());
}

it('announces an order that was placed, with one id, however often it is placed and published', async () => {
  const order = newOrder();
  await Promise.allSettled([example.placeOrder(order), example.placeOrder(order)]);
  expect(await example.placeOrder(order)).toEqual(order);
  const events = await published(order, 2);
  expect(new Set(events.map(({ id }) => id)).size).toBe(1);
  expect(events[0]).toEqual({ id: expect.any(String), type: 'OrderPlaced', order });
});

it('announces nothing that is not placed', async () => {
  // More than an item can hold.
  const order = { ...newOrder(), note: 'x'.repeat(400 * 1024) };
  await expect(example.placeOrder(order)).rejects.toThrow();
  expect(await itemsOf(order)).toEqual([]);
});

it('never overwrites an order, nor announces it again, when its record is forgotten', async () => {
  const order = newOrder();
  await example.placeOrder(order);
  await forgetRecords();
  const before = await itemsOf(order);
  await expect(example.placeOrder({ ...order, amount: 1 })).rejects.toThrow('ConditionalCheckFailed');
  expect(await itemsOf(order)).toEqual(before);
});

it('refuses an order that comes again with another amount', async () => {
  const order = newOrder();
  await example.placeOrder(order);
  await expect(example.placeOrder({ ...order, amount: 1 })).rejects.toMatchObject({ code: 'KEY_REUSED' });
});

it('takes no order for an event, whatever its id: an order is not in the key space that the stream lets pass', async () => {
  const order = { ...newOrder(), id: `outbox#${randomUUID()}`, event: 'forged' };
  await example.placeOrder(order);
  const events = (await itemsOf(order)).filter(({ id }) => id.startsWith('outbox#'));
  expect(events.map(({ event }) => JSON.parse(event).type)).toEqual(['OrderPlaced']);
});

it('keeps what announces an order for two weeks, and the order for good', async () => {
  const order = newOrder();
  const earliest = Math.floor(Date.now() / 1000) + 14 * 86_400;
  await example.placeOrder(order);
  const found = await itemsOf(order);
  expect(found).toHaveLength(2);
  for (const { id, expiration } of found) {
    if (id.startsWith('outbox#')) expect(Math.abs(expiration - earliest)).toBeLessThan(60);
    else expect(expiration).toBeUndefined();
  }
});

it('publishes in the end what could not be published at first', async () => {
  const order = newOrder();
  await example.placeOrder(order);
  let outages = 2;
  const invoke = (event: DynamoDBStreamEvent) =>
    outages-- > 0 ? Promise.reject(new Error('the process died')) : defaultInvoke()(event);
  expect((await published(order, 1, invoke)).length).toBeGreaterThan(0);
});
