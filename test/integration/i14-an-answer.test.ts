import { randomUUID } from 'node:crypto';
import { dynamoDBStore, type OutcomeCodec } from 'middy-idempotency/dynamodb';
import type { HttpIdempotencyOptions } from 'middy-idempotency/http';
import { describe, expect, it, vi } from 'vitest';
import { type DynamoDBRequest, useFaultProxy } from '../support/fault-proxy.ts';
import { deferred } from '../support/harness.ts';
import type { TestRequest } from '../support/http-events.ts';
import { useApi } from '../support/http-harness.ts';
import type { Fault } from '../support/proxy.ts';
import { localClient } from '../support/table.ts';

const harness = useApi();
const proxy = useFaultProxy();

/** The codec's key service is throttled for as long as `isThrottled` says. */
function codec(isThrottled: () => boolean): OutcomeCodec {
  return {
    name: 'key-service',
    encode: (bytes) => bytes,
    decode(bytes) {
      if (!isThrottled()) return bytes;
      throw Object.assign(new Error('Rate exceeded'), {
        name: 'ThrottlingException',
        $retryable: { throttling: true },
      });
    },
  };
}

const storeThroughProxy = () =>
  dynamoDBStore({ ...harness.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });

const request = (): TestRequest => ({ body: '{"amount":10}', headers: [['Idempotency-Key', randomUUID()]] });

/** A duplicate that may run unguarded, and how often it did. */
async function duplicate(again: TestRequest, store: HttpIdempotencyOptions['store']) {
  const handler = vi.fn(async () => ({ statusCode: 201, body: 'second' }));
  const { statusCode } = await harness.api({ handler, options: { store, onStoreError: 'run' } })(again);
  return { statusCode, executions: handler.mock.calls.length };
}

/** An execution that has done a step, and still runs while the duplicate comes. */
async function beside(duplicateComes: (again: TestRequest) => Promise<unknown>, options = {}) {
  const again = request();
  const [started, gate] = [deferred(), deferred()];
  const handler = async (_: unknown, { idempotency }: { idempotency?: unknown }) => {
    const { step } = idempotency as { step(name: string, fn: () => unknown): Promise<unknown> };
    await step('charge', () => 'ch_1');
    started.resolve();
    await gate.promise;
    return { statusCode: 201, body: 'first' };
  };
  const first = harness.api({ handler, options })(again);
  await started.promise;
  const answer = await duplicateComes(again);
  gate.resolve();
  expect(await first).toMatchObject({ statusCode: 201, body: 'first' });
  return answer;
}

const isClaim = ({ body }: DynamoDBRequest) => body.includes('attribute_not_exists');
const isRead = ({ operation }: DynamoDBRequest) => operation === 'GetItem';

describe("I14 onStoreError 'run' never executes beside a live lease when the table has answered", () => {
  it('with a record whose checkpoint cannot be decoded for the moment', async () => {
    let isThrottled = false;
    const store = dynamoDBStore({ ...harness.table, codec: codec(() => isThrottled) });
    const answer = await beside(
      (again) => {
        isThrottled = true;
        return duplicate(again, store).finally(() => {
          isThrottled = false;
        });
      },
      { store },
    );
    // The claim says all that a duplicate needs to know.
    expect(answer).toEqual({ statusCode: 409, executions: 0 });
  });

  it('with a transaction that is writing to the record, and a read that is throttled', async () => {
    const answer = await beside((again) => {
      proxy.decide = (seen) => (isClaim(seen) ? 'conflict' : isRead(seen) ? 'throttle' : 'pass');
      return duplicate(again, storeThroughProxy());
    });
    expect(proxy.seen.some(isRead)).toBe(true);
    expect(answer).toEqual({ statusCode: 503, executions: 0 });
  });

  it.each(['replica conflict', 'throttle'] as const)('with a claim that meets: %s', async (fault) => {
    const answer = await beside((again) => {
      proxy.decide = (seen) => (isClaim(seen) ? fault : 'pass');
      return duplicate(again, storeThroughProxy());
    });
    // A store that reads the record then may know more than that it was refused.
    expect(answer).toMatchObject({
      statusCode: expect.toSatisfy((status) => [409, 503].includes(status)),
      executions: 0,
    });
  });
});

describe("I14 onStoreError 'run' never executes a COMPLETED request again when the table has answered", () => {
  it.each(['throttle', 'replica conflict', 'expire token', 'block'] as const)('%s', async (fault) => {
    const again = request();
    const first = harness.api({ handler: async () => ({ statusCode: 201, body: 'first' }) });
    expect((await first(again)).statusCode).toBe(201);
    proxy.decide = () => fault;
    expect(await duplicate(again, storeThroughProxy())).toEqual({ statusCode: 503, executions: 0 });
  });

  it('with an outcome that cannot be decoded for the moment', async () => {
    const again = request();
    const store = dynamoDBStore({ ...harness.table, codec: codec(() => true) });
    const first = harness.api({ handler: async () => ({ statusCode: 201, body: 'first' }), options: { store } });
    expect((await first(again)).statusCode).toBe(201);
    expect(await duplicate(again, store)).toEqual({ statusCode: 503, executions: 0 });
  });
});

describe("I14 onStoreError 'run' executes when no answer came", () => {
  const SILENT: readonly Fault[] = ['drop', 'fail'];

  it.each(SILENT)('%s', async (fault) => {
    proxy.decide = () => fault;
    expect(await duplicate(request(), storeThroughProxy())).toEqual({ statusCode: 201, executions: 1 });
  });

  it('hang', async () => {
    proxy.decide = () => 'hang';
    const client = localClient({
      endpoint: proxy.endpoint,
      maxAttempts: 1,
      requestHandler: { requestTimeout: 200, throwOnRequestTimeout: true },
    });
    const store = dynamoDBStore({ ...harness.table, client });
    expect(await duplicate(request(), store)).toEqual({ statusCode: 201, executions: 1 });
  });
});
