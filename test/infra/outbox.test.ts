import { randomUUID } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, ScanCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBRecord } from 'aws-lambda';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outboxItem } from '../../infra/outbox/outbox.ts';
import type { PaymentEvent } from '../../infra/outbox/payment-event.ts';
import { createPublisher } from '../../infra/outbox/publisher.ts';
import { createPaymentsHandler } from '../../infra/payments/api.ts';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import {
  createQueue,
  drainDeadLetters,
  type LocalQueue,
  type LocalQueues,
  startLocalQueues,
} from '../../tools/queues.ts';
import { dynamoDBRecord } from '../support/event-sources.ts';
import { lambdaContext } from '../support/harness.ts';
import { useTable } from '../support/table.ts';
import { bodyOf, client } from './requests.ts';
import { captureLog } from './support/log.ts';

captureLog();

describe('the outbox', () => {
  const [records, table] = [useTable(), useTable()];
  const scan = async () => {
    const { Items = [] } = await DynamoDBDocumentClient.from(table.client).send(
      new ScanCommand({ TableName: table.tableName }),
    );
    return Items;
  };

  it('never has an event in the place of another one', async () => {
    const event = {
      id: randomUUID(),
      type: 'payment-refunded',
      payment: randomUUID(),
      amount: 500,
      currency: 'EUR',
      occurredAt: new Date(0).toISOString(),
    } as const;
    const announce = (of: PaymentEvent) =>
      DynamoDBDocumentClient.from(table.client).send(
        new TransactWriteCommand({ TransactItems: [outboxItem(table.tableName, of, Date.now())] }),
      );
    await announce(event);
    await expect(announce({ ...event, payment: randomUUID() })).rejects.toThrow('ConditionalCheckFailed');
    expect((await scan()).map((item) => item['event'])).toEqual([JSON.stringify(event)]);
  });

  it('is not to be found by the API, and leaves the table after two weeks; payments stay', async () => {
    const send = client(
      createPaymentsHandler({
        store: dynamoDBStore(records),
        payments: dynamoDBPayments(table),
        processor: fakeProcessor(),
        scope: 'anonymous',
      }),
    );
    const { id } = bodyOf(await send({ key: randomUUID() }));
    const items = await scan();
    expect(items.find((item) => item['id'] === id)).not.toHaveProperty('expiration');
    for (const item of items.filter((one) => String(one['id']).startsWith('outbox#'))) {
      expect(item['expiration']).toBeGreaterThan(Date.now() / 1000 + 13 * 86_400);
      expect((await send({ method: 'GET', path: `/payments/${item['id']}` })).statusCode).toBe(404);
    }
  });

  it('is written with what it announces, or not at all', async () => {
    const item = outboxItem(table.tableName, { ...event(), id: 'alone' }, Date.now());
    const refused = {
      ConditionCheck: {
        TableName: table.tableName,
        Key: { id: 'absent' },
        ConditionExpression: 'attribute_exists(id)',
      },
    };
    const both = new TransactWriteCommand({ TransactItems: [refused, item] });
    await expect(DynamoDBDocumentClient.from(table.client).send(both)).rejects.toThrow('ConditionalCheckFailed');
    expect((await scan()).map(({ id }) => id)).not.toContain('outbox#alone');
  });
});

function event(): PaymentEvent {
  const ids = { id: randomUUID(), payment: randomUUID() };
  return { ...ids, type: 'payment-captured', amount: 1, currency: 'EUR', occurredAt: '2026-11-25T12:00:00.000Z' };
}

describe('the publisher', () => {
  let queues: LocalQueues;
  let queue: LocalQueue;
  beforeAll(async () => {
    queues = await startLocalQueues();
    queue = await createQueue(queues, 'published', { visibilitySeconds: 30, maxReceiveCount: 3 });
  });
  afterAll(() => queues.stop());
  const sent = () => drainDeadLetters({ ...queue, deadLetterUrl: queue.url });

  const recordOf = (one: PaymentEvent, position: number): DynamoDBRecord =>
    dynamoDBRecord({ id: { S: `outbox#${one.id}` }, event: { S: JSON.stringify(one) } }, position);
  const publish = (client: SQSClient, ...Records: readonly DynamoDBRecord[]) =>
    createPublisher({ client, queueUrl: queue.url })({ Records: [...Records] }, lambdaContext());

  it('sends every event of its batch, as it was written', async () => {
    const events = [event(), event()];
    expect(await publish(queues.client, ...events.map(recordOf))).toEqual({ batchItemFailures: [] });
    expect((await sent()).toSorted()).toEqual(events.map((one) => JSON.stringify(one)).toSorted());
  });

  it('reports what could not be sent by its sequence number', async () => {
    const client = new SQSClient({ endpoint: queues.endpoint, region: 'local', credentials: CREDENTIALS });
    const [good, lost] = [event(), event()];
    client.middlewareStack.add(
      (next) => async (args) => {
        if (JSON.stringify(args.input).includes(lost.id)) throw new Error('no network');
        return next(args);
      },
      { step: 'initialize' },
    );
    const records = [good, lost].map(recordOf);
    expect(await publish(client, ...records)).toEqual({
      batchItemFailures: [{ itemIdentifier: records[1]?.dynamodb?.SequenceNumber }],
    });
    expect(await sent()).toEqual([JSON.stringify(good)]);
  });

  it('sends nothing that is no event of the outbox', async () => {
    const payment = dynamoDBRecord({ id: { S: randomUUID() }, event: { S: '{}' } }, 1);
    await expect(publish(queues.client, payment)).rejects.toThrow();
    expect(await sent()).toEqual([]);
  });
});

const CREDENTIALS = { accessKeyId: 'local', secretAccessKey: 'local' };
