import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { sqsBodyKey } from 'middy-idempotency/events';
import { recordId } from 'middy-idempotency/operator';
import { afterAll, beforeAll, beforeEach, expect, inject, it, vi } from 'vitest';
import { sqsRecord } from '../../support/event-sources.ts';
import { lambdaContext, TestClock } from '../../support/harness.ts';
import { type SqsHandler, TestQueue } from '../../support/queue.ts';
import { useTable } from '../../support/table.ts';
import { startCarrier } from './carrier.ts';

const VISIBILITY_MILLIS = 180_000;
const table = useTable();
let carrier: Awaited<ReturnType<typeof startCarrier>>;
let handler: SqsHandler;
/** The queue's: the example has the clock of the process. */
const clock = new TestClock();

beforeAll(async () => {
  carrier = await startCarrier();
  const environment = {
    IDEMPOTENCY_TABLE_NAME: table.tableName,
    CARRIER_URL: carrier.url,
    AWS_ENDPOINT_URL_DYNAMODB: inject('dynamoDBEndpoint'),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const example = await import('../../../infra/examples/shipping-consumer.ts');
  handler = (event) => example.handler(event, lambdaContext());
});
beforeEach(() => {
  carrier.asked.length = 0;
});
afterAll(() => {
  vi.unstubAllEnvs();
  carrier.stop();
});

const newOrder = () => ({ orderId: crypto.randomUUID(), address: 'Kastanienallee 1, Berlin' });
const queueOf = (...bodies: readonly unknown[]) =>
  new TestQueue(clock, { visibilityMillis: VISIBILITY_MILLIS }, ...bodies.map((body) => sqsRecord(body)));

async function drain(queue: TestQueue): Promise<void> {
  while (!queue.isEmpty) {
    await queue.poll(handler);
    clock.advance(VISIBILITY_MILLIS);
  }
}

it('books a shipment once, whether its message is delivered twice or sent twice', async () => {
  const order = newOrder();
  const message = sqsRecord(order);
  await drain(new TestQueue(clock, {}, message));
  await drain(new TestQueue(clock, {}, message, sqsRecord(order)));
  expect(carrier.asked.map(({ orderId }) => orderId)).toEqual([order.orderId]);
});

it('books a redriven message once, whose attempts had all lost the answer: the carrier knows it by its key', async () => {
  const order = newOrder();
  const queue = queueOf(order);
  carrier.losesAnswers = true;
  await drain(queue);
  expect(queue.deadLetters).toHaveLength(1);
  carrier.losesAnswers = false;
  const redriven = queueOf(order, newOrder());
  await drain(redriven);
  expect(redriven.deadLetters).toEqual([]);
  const ofOrder = carrier.asked.filter(({ orderId }) => orderId === order.orderId);
  expect(ofOrder.length).toBeGreaterThan(3);
  expect(carrier.booked()).toHaveLength(2);
});

it('leaves a poison message, and one that contradicts an earlier one, to the dead-letter queue', async () => {
  const order = newOrder();
  const moved = { ...order, address: 'another' };
  const { address: _, ...poison } = newOrder();
  await drain(queueOf(order));
  const queue = queueOf(poison, moved, newOrder());
  await drain(queue);
  expect(queue.deadLetters.map(({ body }) => JSON.parse(body))).toEqual([poison, moved]);
  expect(carrier.booked()).toHaveLength(2);

  // The record tells how far the poison message came.
  const [dead] = queue.deadLetters;
  const id = recordId({ operation: 'book-shipment', key: sqsBodyKey('orderId'), event: dead as never });
  expect(await dynamoDBStore(table).read(String(id))).toMatchObject({ status: 'RELEASED', attempt: 3 });
});
