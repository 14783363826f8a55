import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { memoryStore } from 'middy-idempotency/memory';
import { lambdaContext, sqsEvent } from 'middy-idempotency/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dispatcher } from '../../examples/durable-functions/dispatcher.ts';
import type { Order } from '../../examples/durable-functions/fulfilment.ts';

const newOrder = (amount = 10): Order => ({ id: randomUUID(), amount });

describe('a durable function', () => {
  let done: Record<string, object>;
  beforeAll(async () => {
    const program = fileURLToPath(new URL('durable-executions.ts', import.meta.url));
    const sources = new URL('../../tools/sources.ts', import.meta.url).href;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', sources, program]);
    done = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  });
  const once = { effects: ['charge', 'ship'], keys: 2 };
  const result = { charge: 'charge o-1', shipment: 'ship o-1' };

  it('has each effect once, although its handler runs again after the wait', () => {
    expect(done['afterWait']).toEqual({ ...once, results: [result] });
  });

  it('has each effect once, although a step ends between its effect and its checkpoint', () => {
    expect(done['stepWithoutCheckpoint']).toEqual({ ...once, results: [result], attempts: 3 });
  });

  it('has each effect once, although two executions of one order run', () => {
    expect(done['twoExecutions']).toEqual({ ...once, results: [result, result] });
  });
});

describe('the dispatcher in front of a durable function', () => {
  /** Lambda's own rules for names (AWS: "Idempotency" of durable functions), over HTTP. */
  const executions = new Map<string, string>();
  let starts = 0;
  const lambda = createServer(async (request, response) => {
    const name = request.headers['x-amz-durable-execution-name'];
    const payload = await text(request);
    expect(request.url).toBe('/2015-03-31/functions/fulfilment%3Alive/invocations');
    expect(request.headers['x-amz-invocation-type']).toBe('Event');
    expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    starts++;
    const isOther = (executions.get(name as string) ?? payload) !== payload;
    executions.set(name as string, payload);
    if (isOther) response.setHeader('x-amzn-errortype', 'DurableExecutionAlreadyStartedException');
    response.writeHead(isOther ? 409 : 202).end();
  });
  let client: LambdaClient;
  beforeAll(async () => {
    await once(lambda.listen(0, '127.0.0.1'), 'listening');
    client = new LambdaClient({
      endpoint: `http://127.0.0.1:${(lambda.address() as AddressInfo).port}`,
      region: 'eu-central-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    });
  });
  afterAll(async () => {
    client.destroy();
    lambda.close();
    await once(lambda, 'close');
  });

  const make = (store = memoryStore()) => {
    const handler = dispatcher({ store, client, functionName: 'fulfilment:live' });
    return (orders: readonly Order[]) => handler(sqsEvent(orders), lambdaContext());
  };

  it('starts one execution for each order, however often its message comes', async () => {
    executions.clear();
    starts = 0;
    const dispatch = make();
    const orders = [newOrder(), newOrder()];
    await dispatch(orders);
    await dispatch(orders);
    expect(starts).toBe(2);
    expect([...executions.values()].map((payload) => JSON.parse(payload))).toEqual(orders);
  });

  it('starts no second one where its record is gone: the name is the same', async () => {
    executions.clear();
    const order = newOrder();
    await make()([order]);
    expect(await make()([order])).toEqual({ batchItemFailures: [] });
    expect(executions.size).toBe(1);
  });

  it('reports an order that comes again with another amount', async () => {
    const order = newOrder();
    const dispatch = make();
    await dispatch([order]);
    const { batchItemFailures } = await dispatch([newOrder(), { ...order, amount: 11 }]);
    expect(batchItemFailures).toHaveLength(1);
    // Lambda says so, too, where the record is gone.
    await expect(make()([{ ...order, amount: 11 }])).rejects.toThrow();
  });
});
