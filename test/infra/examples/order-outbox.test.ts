import { randomUUID } from 'node:crypto';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBStreamEvent } from 'aws-lambda';
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import type { Order } from '../../../infra/examples/order-outbox.ts';
import { LOCAL_ACCESS } from '../../../infra/local/clients.ts';
import { createQueue, type LocalQueue, type LocalQueues, startLocalQueues } from '../../../infra/local/queues.ts';
import { pollStream } from '../../../infra/local/stream-source.ts';
import { drainDeadLetters } from '../../consumers/dead-letters.ts';
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
  const order = { ...newOrder(), amount: 10n } as unknown as Order;
  await expect(example.placeOrder(order)).rejects.toThrow();
  const documents = DynamoDBDocumentClient.from(orders.client);
  const { Items = [] } = await documents.send(new ScanCommand({ TableName: orders.tableName }));
  expect(Items.filter(({ id, event }) => id === order.id || String(event).includes(order.id))).toEqual([]);
});

it('publishes in the end what could not be published at first', async () => {
  const order = newOrder();
  await example.placeOrder(order);
  let outages = 2;
  const invoke = (event: DynamoDBStreamEvent) =>
    outages-- > 0 ? Promise.reject(new Error('the process died')) : defaultInvoke()(event);
  expect((await published(order, 1, invoke)).length).toBeGreaterThan(0);
});
