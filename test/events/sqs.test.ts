import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import type { IdempotencyEvent, IdempotencyHandle } from 'middy-idempotency';
import { sqsBodyKey, sqsMessageKey } from 'middy-idempotency/events';
import { recordId } from 'middy-idempotency/operator';
import { describe, expect, it, vi } from 'vitest';
import { sqsRecord } from '../support/event-sources.ts';
import { deferred, lambdaContext, useGuards } from '../support/harness.ts';
import { TestQueue } from '../support/queue.ts';

const guards = useGuards();

/** Six times the function's timeout, as AWS asks for. */
const TIMEOUT_MILLIS = 30_000;
const VISIBILITY_MILLIS = 6 * TIMEOUT_MILLIS;

type RecordHandler = (record: SQSRecord, context: Context) => unknown;

/** A Lambda function as users write it, with a context of its own for each invocation. */
function consumer(handle: RecordHandler, options: object = {}, processInParallel = true) {
  const processor = new BatchProcessor(EventType.SQS);
  const handleOnce = guards.idempotent(handle, { key: sqsMessageKey, ...options });
  return (event: SQSEvent) => {
    const context = lambdaContext(guards.clock, { remainingMillis: TIMEOUT_MILLIS });
    return processPartialResponse(event, handleOnce, processor, { context, processInParallel });
  };
}

const body = ({ body: text }: SQSRecord) => JSON.parse(text);
const queueOf = (...records: readonly SQSRecord[]) =>
  new TestQueue(guards.clock, { visibilityMillis: VISIBILITY_MILLIS }, ...records);
const failing = (...records: readonly SQSRecord[]) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});
const NONE_FAILED = { batchItemFailures: [] };

describe('a message of SQS', () => {
  it('that is delivered again is not handled again, and is reported as handled', async () => {
    const handle = vi.fn(async () => 'booked');
    const record = sqsRecord({ orderId: 1 });
    const handler = consumer(handle);
    expect(await queueOf(record).poll(handler)).toEqual(NONE_FAILED);
    expect(await queueOf(record).poll(handler)).toEqual(NONE_FAILED);
    expect(handle).toHaveBeenCalledTimes(1);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('that fails is reported by its message id, alone, and handled when it is delivered again', async () => {
    const [good, bad] = [sqsRecord({ orderId: 1 }), sqsRecord({ orderId: 2 })];
    const handle = vi.fn(async (record: SQSRecord) => {
      if (body(record).orderId === 2 && handle.mock.calls.length < 3) throw new Error('no network');
    });
    const queue = queueOf(good, bad);
    const handler = consumer(handle);
    expect(await queue.poll(handler)).toEqual(failing(bad));
    expect(await queue.poll(handler)).toBeUndefined();
    guards.clock.advance(VISIBILITY_MILLIS);
    expect(await queue.poll(handler)).toEqual(NONE_FAILED);
    expect(queue.isEmpty).toBe(true);
    expect(handle).toHaveBeenCalledTimes(3);
  });

  it('that a running invocation has is reported as failed, never as handled, and delivered again', async () => {
    const [started, finish] = [deferred(), deferred()];
    const record = sqsRecord({ orderId: 1 });
    const handle = vi.fn(async () => {
      started.resolve();
      await finish.promise;
    });
    // The visibility timeout is shorter than the invocation: what must not be, but happens.
    const queue = new TestQueue(guards.clock, { visibilityMillis: 1000 }, record, sqsRecord({ orderId: 2 }));
    const first = queue.poll(consumer(handle), 1);
    await started.promise;
    guards.clock.advance(1001);
    const second = consumer(async () => 'other');
    expect(await queue.poll(second)).toEqual(failing(record));
    expect(guards.eventTypes()).toContain('inFlight');
    finish.resolve();
    expect(await first).toEqual(NONE_FAILED);
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it('of an invocation that died is handled when it is delivered again: its lease is over by then', async () => {
    const started = deferred();
    const record = sqsRecord({ orderId: 1 });
    const queue = queueOf(record);
    void queue.poll(
      consumer(() => {
        started.resolve();
        return new Promise(() => undefined);
      }),
    );
    await started.promise;
    guards.clock.advance(VISIBILITY_MILLIS);
    const handle = vi.fn(async () => undefined);
    expect(await queue.poll(consumer(handle))).toEqual(NONE_FAILED);
    expect(handle).toHaveBeenCalledTimes(1);
    expect(guards.events.map(({ type, attempt }) => [type, attempt])).toContainEqual(['takenOver', 2]);
  });

  it('has a lease that ends with its invocation', async () => {
    const leases: number[] = [];
    const handle = async (_record: SQSRecord, _context: Context, handle: IdempotencyHandle) => {
      leases.push(handle.leaseUntil);
    };
    await queueOf(sqsRecord({})).poll(consumer(handle as RecordHandler, { passHandle: true }));
    expect(leases).toEqual([guards.clock.now() + TIMEOUT_MILLIS]);
  });

  it('is reported as failed when the table cannot be asked', async () => {
    const handle = vi.fn(async () => undefined);
    const store = { ...guards.store, insert: async () => Promise.reject(new Error('no network')) };
    const [one, two] = [sqsRecord({ orderId: 1 }), sqsRecord({ orderId: 2 })];
    const handler = consumer(handle, { store });
    expect(await queueOf(one, two).poll(handler)).toMatchObject({
      name: 'FullBatchFailureError',
      recordErrors: [{ code: 'STORE_UNAVAILABLE' }, { code: 'STORE_UNAVAILABLE' }],
    });
    expect(handle).not.toHaveBeenCalled();
  });

  it('that has no key is reported as failed, not handled unguarded', async () => {
    const handle = vi.fn(async () => undefined);
    const bad = sqsRecord('no JSON');
    const handler = consumer(handle, { key: sqsBodyKey('orderId') });
    expect(await queueOf(sqsRecord({ orderId: crypto.randomUUID() }), bad).poll(handler)).toEqual(failing(bad));
    expect(handle).toHaveBeenCalledTimes(1);
  });
});

describe('a poison message of SQS', () => {
  const poison = async () => {
    throw new RangeError('an amount below zero');
  };

  const recordOf = (record: SQSRecord) =>
    guards.store.read(recordId({ operation: 'test', key: sqsMessageKey, event: record }) ?? '');

  async function pollUntilDead(queue: TestQueue, handler: (event: SQSEvent) => Promise<unknown>) {
    while (!queue.isEmpty) {
      await queue.poll(handler);
      guards.clock.advance(VISIBILITY_MILLIS);
    }
  }

  it('ends in the dead-letter queue, and its record tells how often it was tried', async () => {
    const record = sqsRecord({ amount: -1 });
    const queue = queueOf(record);
    await pollUntilDead(queue, consumer(poison));
    expect(queue.deadLetters).toEqual([record]);
    expect(await recordOf(queue.deadLetters[0] as SQSRecord)).toMatchObject({ status: 'RELEASED', attempt: 3 });
  });

  it('is tried only once where the policy stores its error, and its record has the error', async () => {
    const record = sqsRecord({ amount: -1 });
    const handle = vi.fn(poison);
    const queue = queueOf(record);
    await pollUntilDead(queue, consumer(handle, { settle: () => 'store' }));
    expect(queue.deadLetters).toEqual([record]);
    expect(handle).toHaveBeenCalledTimes(1);
    const kept = await recordOf(record);
    expect(kept).toMatchObject({ status: 'COMPLETED', attempt: 1 });
    expect(JSON.stringify(kept)).toContain('an amount below zero');
  });

  it('does not keep the good messages of its batch from being handled once', async () => {
    const handle = vi.fn(async (record: SQSRecord) => (body(record).amount < 0 ? poison() : 'booked'));
    const [good, bad] = [sqsRecord({ amount: 1 }), sqsRecord({ amount: -1 })];
    const queue = queueOf(good, bad);
    await pollUntilDead(queue, consumer(handle));
    expect(queue.deadLetters).toEqual([bad]);
    expect(handle.mock.calls.filter(([record]) => body(record).amount > 0)).toHaveLength(1);
  });
});

describe('messages of one batch with the same key', () => {
  const twins = () => {
    const orderId = crypto.randomUUID();
    return [sqsRecord({ orderId }), sqsRecord({ orderId })] as const;
  };
  const options = { key: sqsBodyKey('orderId') };

  it('are handled once when the batch is handled in parallel: the second comes again, and is a replay', async () => {
    const refused = deferred();
    const handle = vi.fn(() => refused.promise);
    const onEvent = ({ type }: IdempotencyEvent) => void (type === 'inFlight' && refused.resolve());
    const [first, second] = twins();
    const queue = queueOf(first, second);
    const handler = consumer(handle, { ...options, onEvent });
    const response = await queue.poll(handler);
    expect([failing(first), failing(second)]).toContainEqual(response);
    guards.clock.advance(VISIBILITY_MILLIS);
    expect(await queue.poll(handler)).toEqual(NONE_FAILED);
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it('are handled once, and both reported as handled, when it is handled one by one', async () => {
    const handle = vi.fn(async () => 'booked');
    expect(await queueOf(...twins()).poll(consumer(handle, options, false))).toEqual(NONE_FAILED);
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it('are handled once, and both reported as handled, where the second waits for the first', async () => {
    const handle = vi.fn(async () => 'booked');
    const handler = consumer(handle, { ...options, onInFlight: { waitMillis: 20_000 } });
    expect(await queueOf(...twins()).poll(handler)).toEqual(NONE_FAILED);
    expect(handle).toHaveBeenCalledTimes(1);
  });

  it('but another payload are told: the second is refused, not dropped', async () => {
    const handle = vi.fn(async () => 'booked');
    const [first] = twins();
    const second = sqsRecord({ ...body(first), amount: 2 });
    const handler = consumer(handle, { ...options, fingerprint: (record: SQSRecord) => record.body }, false);
    expect(await queueOf(first, second).poll(handler)).toEqual(failing(second));
    expect(guards.eventTypes()).toContain('keyReused');
  });
});
