import eventNormalizer from '@middy/event-normalizer';
import sqsPartialBatchFailure from '@middy/sqs-partial-batch-failure';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import {
  dynamoDBStreamRecordKey,
  kinesisRecordKey,
  s3RecordKey,
  snsInSqsMessageKey,
  snsMessageKey,
  sqsBodyKey,
  sqsMessageKey,
} from 'middy-idempotency/events';
import { describe, expect, it, vi } from 'vitest';
import {
  dynamoDBRecord,
  kinesisRecord,
  s3Record,
  snsInSqsRecord,
  snsRecord,
  sqsRecord,
} from '../support/event-sources.ts';
import { deferred, lambdaContext, MIDDY_VERSIONS, useGuards } from '../support/harness.ts';
import { TestQueue } from '../support/queue.ts';

const guards = useGuards();
const VISIBILITY_MILLIS = 180_000;

type RecordHandler = (record: SQSRecord, context: Context) => unknown;

describe.each(MIDDY_VERSIONS)('in a batch under sqs-partial-batch-failure, with %s', (_, middy) => {
  /** A Lambda function as users of Middy write it. */
  function consumer(handle: RecordHandler, key: (record: SQSRecord) => unknown = sqsMessageKey) {
    const handleOnce = guards.idempotent(handle, { key });
    const handler = middy<SQSEvent, SQSBatchResponse>()
      .use(eventNormalizer())
      .use(sqsPartialBatchFailure({ logger: () => undefined }))
      .handler(async ({ Records }: SQSEvent, context: Context): Promise<never> => {
        return Promise.allSettled(Records.map((record) => handleOnce(record, context))) as never;
      });
    return (event: SQSEvent) => handler(event, lambdaContext(guards.clock));
  }

  const queueOf = (...records: readonly SQSRecord[]) =>
    new TestQueue(guards.clock, { visibilityMillis: VISIBILITY_MILLIS }, ...records);
  const failing = (...records: readonly SQSRecord[]) => ({
    batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
  });

  it('a message delivered again is not handled again, and one that fails is reported alone', async () => {
    const [good, bad] = [sqsRecord({ amount: 1 }), sqsRecord({ amount: -1 })];
    const handle = vi.fn(async ({ body }: SQSRecord) => {
      // The normalizer has parsed it.
      if ((body as unknown as { amount: number }).amount < 0) throw new Error('an amount below zero');
    });
    expect(await queueOf(good, bad).poll(consumer(handle))).toEqual(failing(bad));
    expect(await queueOf(good).poll(consumer(handle))).toEqual(failing());
    expect(handle).toHaveBeenCalledTimes(2);
  });

  it('a message that is in flight elsewhere is reported as failed, and comes again', async () => {
    const [started, finish] = [deferred(), deferred()];
    const record = sqsRecord({ amount: 1 });
    const handle = vi.fn(async () => {
      started.resolve();
      await finish.promise;
    });
    const first = queueOf(record).poll(consumer(handle));
    await started.promise;
    const queue = queueOf(record);
    expect(await queue.poll(consumer(handle))).toEqual(failing(record));
    finish.resolve();
    expect(await first).toEqual(failing());
    guards.clock.advance(VISIBILITY_MILLIS);
    expect(await queue.poll(consumer(handle))).toEqual(failing());
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it('two messages with the same key in the body are handled once, although the body has been parsed', async () => {
    const orderId = crypto.randomUUID();
    const handle = vi.fn(async () => 'booked');
    const queue = queueOf(sqsRecord({ orderId }), sqsRecord({ orderId }));
    const handler = consumer(handle, sqsBodyKey('orderId'));
    expect(await queue.poll(handler)).toMatchObject({ batchItemFailures: [{}] });
    guards.clock.advance(VISIBILITY_MILLIS);
    expect(await queue.poll(handler)).toEqual(failing());
    expect(handle).toHaveBeenCalledTimes(1);
  });
});

describe('event-normalizer changes no key', () => {
  const image = { id: { S: '1' }, tags: { L: [{ N: '1' }] } };
  it.each([
    ['SQS', sqsMessageKey, sqsRecord({ orderId: 1 })],
    ['SQS, by the body', sqsBodyKey('orderId'), sqsRecord({ orderId: 1 })],
    ['SNS', snsMessageKey, snsRecord({ orderId: 1 })],
    ['SNS in SQS', snsInSqsMessageKey, snsInSqsRecord(snsRecord({ orderId: 1 }))],
    ['Kinesis', kinesisRecordKey, kinesisRecord({ orderId: 1 }, 1)],
    ['DynamoDB Streams', dynamoDBStreamRecordKey, dynamoDBRecord(image, 1)],
    ['S3', s3RecordKey, s3Record()],
  ] as const)('of %s', async (_, key, record) => {
    const select = key as (one: unknown) => unknown;
    const event = structuredClone({ Records: [record] });
    await (eventNormalizer().before as (request: unknown) => Promise<void>)({ event });
    expect(select(event.Records[0])).toEqual(select(record));
  });
});
