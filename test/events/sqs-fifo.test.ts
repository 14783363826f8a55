import { processPartialResponse, SqsFifoPartialProcessorAsync } from '@aws-lambda-powertools/batch';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import fc from 'fast-check';
import { sqsMessageKey } from 'middy-idempotency/events';
import { describe, expect, it, vi } from 'vitest';
import { fifoRecord } from '../support/event-sources.ts';
import { deferred, lambdaContext, useGuards } from '../support/harness.ts';
import { TestQueue } from '../support/queue.ts';

const guards = useGuards();

const TIMEOUT_MILLIS = 30_000;
const VISIBILITY_MILLIS = 6 * TIMEOUT_MILLIS;

type RecordHandler = (record: SQSRecord, context: Context) => unknown;

function consumer(handle: RecordHandler, settings: { readonly skipGroupOnError?: boolean } = {}) {
  const processor = new SqsFifoPartialProcessorAsync();
  const handleOnce = guards.idempotent(handle, { key: sqsMessageKey });
  return (event: SQSEvent) => {
    const context = lambdaContext(guards.clock, { remainingMillis: TIMEOUT_MILLIS });
    return processPartialResponse(event, handleOnce, processor, { context, ...settings });
  };
}

const nameOf = (record: SQSRecord) => record.body;
const failing = (...records: readonly SQSRecord[]) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});
const NONE_FAILED = { batchItemFailures: [] };

describe('a FIFO queue', () => {
  const messages = () => ['a1', 'b1', 'a2', 'b2'].map((name) => fifoRecord(name.charAt(0), name));
  type Four = [SQSRecord, SQSRecord, SQSRecord, SQSRecord];

  /** Handles all but the messages of that name, and says which it was given. */
  const failingAt = (name: string) =>
    vi.fn(async (record: SQSRecord) => {
      if (nameOf(record) === name) throw new Error('no network');
    });
  const given = (handle: ReturnType<typeof failingAt>) => handle.mock.calls.map(([record]) => nameOf(record));

  it('is handled in its order', async () => {
    const handle = failingAt('none');
    const queue = new TestQueue(guards.clock, {}, ...messages());
    expect(await queue.poll(consumer(handle))).toEqual(NONE_FAILED);
    expect(given(handle)).toEqual(['a1', 'b1', 'a2', 'b2']);
  });

  it('stops after the first failure: it and all behind it are reported, none of those is handled', async () => {
    const [a1, b1, a2, b2] = messages() as Four;
    const handle = failingAt('b1');
    expect(await new TestQueue(guards.clock, {}, a1, b1, a2, b2).poll(consumer(handle))).toEqual(failing(b1, a2, b2));
    expect(given(handle)).toEqual(['a1', 'b1']);
  });

  it('with skipGroupOnError goes on with the other groups, and with nothing of the failed one', async () => {
    const [a1, b1, a2, b2] = messages() as Four;
    const handle = failingAt('a1');
    const handler = consumer(handle, { skipGroupOnError: true });
    expect(await new TestQueue(guards.clock, {}, a1, b1, a2, b2).poll(handler)).toEqual(failing(a1, a2));
    expect(given(handle)).toEqual(['a1', 'b1', 'b2']);
  });

  it.each([
    [false, ['b1', 'a2', 'b2']],
    [true, ['b1', 'b2']],
  ])('stops at a message that is in flight elsewhere (skipGroupOnError: %s)', async (skipGroupOnError, expected) => {
    const records = messages() as Four;
    const started = deferred();
    const elsewhere = guards.idempotent(
      (_record: SQSRecord, _context: Context) => {
        started.resolve();
        return new Promise(() => undefined);
      },
      { key: sqsMessageKey },
    );
    void elsewhere(records[1], lambdaContext(guards.clock));
    await started.promise;

    const handle = failingAt('none');
    const queue = new TestQueue(guards.clock, {}, ...records);
    const failed = records.filter((record) => expected.includes(nameOf(record)));
    expect(await queue.poll(consumer(handle, { skipGroupOnError }))).toEqual(failing(...failed));
    expect(given(handle)).toEqual(skipGroupOnError ? ['a1', 'a2'] : ['a1']);
    expect(guards.eventTypes()).toContain('inFlight');

    guards.clock.advance(VISIBILITY_MILLIS);
    expect(await queue.poll(consumer(handle, { skipGroupOnError }))).toEqual(NONE_FAILED);
    expect(queue.isEmpty).toBe(true);
    expect(given(handle).filter((name) => name.startsWith('b'))).toEqual(['b1', 'b2']);
  });

  it('goes on behind what was handled already: that is a replay', async () => {
    const [a1, , a2] = messages() as Four;
    const handle = failingAt('none');
    await new TestQueue(guards.clock, {}, a1).poll(consumer(handle));
    expect(await new TestQueue(guards.clock, {}, a1, a2).poll(consumer(handle))).toEqual(NONE_FAILED);
    expect(given(handle)).toEqual(['a1', 'a2']);
  });
});

describe('whatever fails, dies or loses its answer', () => {
  const fault = fc.constantFrom('none', 'none', 'fails', 'dies', 'dies after', 'answer lost');

  it('each message of a group has its effect once, and in order', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 8 }),
        fc.array(fault, { maxLength: 12 }),
        fc.integer({ min: 1, max: 5 }),
        fc.boolean(),
        async (groups, faults, batchSize, skipGroupOnError) => {
          const records = groups.map((group, index) => fifoRecord(group, `${group}${index}`));
          const queue = new TestQueue(guards.clock, { maxReceiveCount: 100 }, ...records);
          const effects = await drain(queue, faults, batchSize, skipGroupOnError);
          for (const group of new Set(groups)) {
            const inOrder = (names: readonly string[]) => names.filter((name) => name.startsWith(group));
            expect(inOrder(effects)).toEqual(inOrder(records.map(nameOf)));
          }
        },
      ),
      { numRuns: 40, seed: 8 },
    );
  });

  /** Polls until the queue is empty. An effect is recognised by its message, as a system behind a derived key does. */
  async function drain(queue: TestQueue, faults: string[], batchSize: number, skipGroupOnError: boolean) {
    const effects = new Set<string>();
    for (let round = 0; round < 60 && !queue.isEmpty; round++) {
      const died = deferred<Error>();
      const handle = async (record: SQSRecord) => {
        const next = faults.shift();
        const die = () => {
          died.resolve(new Error('the process died'));
          return new Promise(() => undefined);
        };
        if (next === 'fails') throw new Error('no network');
        if (next === 'dies') return die();
        effects.add(nameOf(record));
        if (next === 'answer lost') throw new Error('no answer');
        if (next === 'dies after') return die();
        return undefined;
      };
      const handler = consumer(handle, { skipGroupOnError });
      const dying = died.promise.then((error) => Promise.reject(error));
      await queue.poll((event) => Promise.race([handler(event), dying]), batchSize);
      guards.clock.advance(queue.visibilityMillis);
    }
    expect(queue.isEmpty).toBe(true);
    return [...effects];
  }
});
