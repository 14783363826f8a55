import { DescribeTableCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { DynamoDBStreamEvent, SQSEvent } from 'aws-lambda';
import { expect, inject, it } from 'vitest';
import { pollQueue } from '../../infra/local/queue-source.ts';
import { pollStream } from '../../infra/local/stream-source.ts';
import { LOCAL_ACCESS } from '../../tools/clients.ts';
import { createQueue, startLocalQueues } from '../../tools/queues.ts';
import { deferred } from '../support/harness.ts';
import { useTable } from '../support/table.ts';

/** What the local runner has in place of Lambda's event source mappings: it must be no kinder than they are. */
const table = useTable({ stream: true });

it("delivers a table's stream from the lowest record on that failed, and what was behind it again", async () => {
  for (const id of ['a', 'b', 'c', 'd']) {
    await table.client.send(new PutItemCommand({ TableName: table.tableName, Item: { id: { S: id } } }));
  }
  const { Table } = await table.client.send(new DescribeTableCommand({ TableName: table.tableName }));
  const client = new DynamoDBStreamsClient({ endpoint: inject('dynamoDBEndpoint'), ...LOCAL_ACCESS });
  const batches: string[][] = [];
  const done = deferred();
  const source = pollStream({
    client,
    streamArn: Table?.LatestStreamArn ?? '',
    filter: ({ dynamodb }) => dynamodb?.Keys?.['id']?.S !== 'd',
    async invoke({ Records }: DynamoDBStreamEvent) {
      batches.push(Records.map(({ dynamodb }) => dynamodb?.Keys?.['id']?.S ?? ''));
      if (batches.length === 1) throw new Error('the process died');
      if (batches.length === 3) done.resolve();
      const failed = batches.length === 2 ? Records.slice(1) : [];
      return { batchItemFailures: failed.map(({ dynamodb }) => ({ itemIdentifier: dynamodb?.SequenceNumber })) };
    },
    onError: done.reject,
  });
  await done.promise;
  await source.stop();
  client.destroy();
  expect(batches).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['b', 'c'],
  ]);
});

it('deletes of a queue what was handled, and delivers what failed until it is dead', async () => {
  const queues = await startLocalQueues();
  const queue = await createQueue(queues, 'sources', { visibilitySeconds: 1, maxReceiveCount: 2 });
  const deadLetters = { ...queue, url: queue.deadLetterUrl };
  for (const MessageBody of ['good', 'bad']) {
    await queues.client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }));
  }
  const delivered: string[] = [];
  const done = deferred<string>();
  const source = pollQueue({
    queue,
    async invoke({ Records }: SQSEvent) {
      delivered.push(...Records.map(({ body }) => body));
      const failed = Records.filter(({ body }) => body === 'bad');
      return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
    },
    onError: done.reject,
  });
  const dead = pollQueue({
    queue: deadLetters,
    invoke: async ({ Records }: SQSEvent) => done.resolve(Records.map(({ body }) => body).join()),
    onError: done.reject,
  });
  expect(await done.promise).toBe('bad');
  await Promise.all([source.stop(), dead.stop()]);
  await queues.stop();
  expect(delivered.toSorted()).toEqual(['bad', 'bad', 'good']);
});
