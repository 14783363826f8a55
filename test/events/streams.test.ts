import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, DynamoDBRecord, KinesisStreamRecord } from 'aws-lambda';
import { dynamoDBStreamRecordKey, kinesisRecordKey } from 'middy-idempotency/events';
import { describe, expect, it, vi } from 'vitest';
import { dynamoDBRecord, kinesisRecord } from '../support/event-sources.ts';
import { deferred, lambdaContext, useGuards } from '../support/harness.ts';
import { TestShard } from '../support/shard.ts';

const guards = useGuards();

type Any = KinesisStreamRecord | DynamoDBRecord;
const kinesis = [1, 2, 3, 4].map((position) => kinesisRecord({ orderId: crypto.randomUUID() }, position));
const table = [1, 2, 3, 4].map((position) => dynamoDBRecord({ id: { S: crypto.randomUUID() } }, position));

describe.each([
  {
    source: 'Kinesis',
    type: EventType.KinesisDataStreams,
    key: kinesisRecordKey,
    records: kinesis as readonly Any[],
    sequenceNumber: (record: Any) => (record as KinesisStreamRecord).kinesis.sequenceNumber,
  },
  {
    source: 'DynamoDB Streams',
    type: EventType.DynamoDBStreams,
    key: dynamoDBStreamRecordKey,
    records: table as readonly Any[],
    sequenceNumber: (record: Any) => (record as DynamoDBRecord).dynamodb?.SequenceNumber ?? '',
  },
])('a shard of $source', ({ type, key, records, sequenceNumber }) => {
  /** Records of a stream of this test's own. */
  const freshRecords = () => {
    const eventSourceARN = `arn:aws:stream/${crypto.randomUUID()}`;
    return records.map((record) => ({ ...record, eventSourceARN }));
  };
  const consumer = (handle: (record: Any, context: Context) => unknown) => {
    const processor = new BatchProcessor(type);
    const handleOnce = guards.idempotent(handle, { key });
    return (event: { Records: Any[] }) => {
      const context = lambdaContext(guards.clock);
      return processPartialResponse(event as never, handleOnce, processor, { context, processInParallel: false });
    };
  };
  const failing = (...failed: readonly Any[]) => ({
    batchItemFailures: failed.map((record) => ({ itemIdentifier: sequenceNumber(record) })),
  });
  const counts = (all: readonly Any[], handle: { mock: { calls: unknown[][] } }) =>
    all.map((record) => {
      const calls = handle.mock.calls.map(([given]) => sequenceNumber(given as Any));
      return calls.filter((one) => one === sequenceNumber(record)).length;
    });

  it('that was handled without a failure is answered with an empty list', async () => {
    const shard = new TestShard<Any>(freshRecords(), sequenceNumber);
    expect(await shard.poll(consumer(async () => undefined))).toEqual({ batchItemFailures: [] });
    expect(shard.pending).toEqual([]);
  });

  it('is delivered again from the sequence number of the first failure, and only that is handled again', async () => {
    const all = freshRecords();
    const [, second] = all as [Any, Any];
    const shard = new TestShard<Any>(all, sequenceNumber);
    let isDown = true;
    const handle = vi.fn(async (record: Any) => {
      if (isDown && sequenceNumber(record) === sequenceNumber(second)) throw new Error('no network');
    });
    const handler = consumer(handle);
    expect(await shard.poll(handler)).toEqual(failing(second));
    expect(shard.pending.map(sequenceNumber)).toEqual(all.slice(1).map(sequenceNumber));
    isDown = false;
    expect(await shard.poll(handler)).toEqual({ batchItemFailures: [] });
    expect(counts(all, handle)).toEqual([1, 2, 1, 1]);
  });

  it('is delivered again from a record that is in flight elsewhere', async () => {
    const all = freshRecords();
    const [, , third] = all as [Any, Any, Any];
    const [started, finish] = [deferred(), deferred()];
    const elsewhere = guards.idempotent(
      async (_record: Any, _context: Context) => {
        started.resolve();
        await finish.promise;
      },
      { key },
    )(third, lambdaContext(guards.clock));
    await started.promise;

    const handle = vi.fn(async () => undefined);
    const shard = new TestShard<Any>(all, sequenceNumber);
    expect(await shard.poll(consumer(handle))).toEqual(failing(third));
    finish.resolve();
    await elsewhere;
    expect(await shard.poll(consumer(handle))).toEqual({ batchItemFailures: [] });
    expect(counts(all, handle)).toEqual([1, 1, 0, 1]);
  });

  it('is delivered again as a whole after a crash, and what was handled is not handled again', async () => {
    const all = freshRecords();
    const shard = new TestShard<Any>(all, sequenceNumber);
    const crashed = deferred();
    const dying = vi.fn((record: Any): unknown => {
      if (sequenceNumber(record) !== sequenceNumber(all[2] as Any)) return 'handled';
      crashed.resolve();
      return new Promise(() => undefined);
    });
    const death = crashed.promise.then(() => Promise.reject(new Error('the process died')));
    const handler = consumer(dying);
    await shard.poll((event) => Promise.race([handler(event), death]));
    expect(shard.pending).toHaveLength(4);
    guards.clock.advance(31_001);
    const handle = vi.fn(async () => undefined);
    expect(await shard.poll(consumer(handle))).toEqual({ batchItemFailures: [] });
    expect(counts(all, handle)).toEqual([0, 0, 1, 1]);
  });
});
