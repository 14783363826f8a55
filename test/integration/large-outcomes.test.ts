import { randomUUID } from 'node:crypto';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { apiResponse, incompressible } from '../../tools/api-responses.ts';
import { useFaultProxy } from '../support/fault-proxy.ts';
import { deferred, MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';
import { useApi } from '../support/http-harness.ts';
import { localClient } from '../support/table.ts';

const guards = useGuards();
const api = useApi();
const proxy = useFaultProxy();

/** Two items hold it. */
const LARGE = { statusCode: 200, body: incompressible(700_000).toString('base64'), isBase64Encoded: true };
const isCompletion = ({ body }: { body: string }) => body.includes('COMPLETED');
const isPart = ({ body }: { body: string }) => /#[\w-]{43}#\d+"/.test(body);
const throughProxy = () =>
  dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });

/** What becomes of an outcome when somebody deletes one of its parts. */
async function loseAPart(): Promise<void> {
  const { tableName, client } = guards.table;
  const id = guards.events.at(-1)?.id;
  const { Item } = await DynamoDBDocumentClient.from(client).send(
    new GetCommand({ TableName: tableName, Key: { id }, ConsistentRead: true }),
  );
  const part = `${id}#${Item?.['digest']}#2`;
  const gone = await client.send(
    new DeleteItemCommand({ TableName: tableName, Key: { id: { S: part } }, ReturnValues: 'ALL_OLD' }),
  );
  expect(gone.Attributes).toBeDefined();
}

describe.each(MIDDY_VERSIONS)('I8 a large outcome is what the first caller saw, with %s', (_, middy) => {
  it.each([
    ['5 MB that nothing compresses', () => ({ ...LARGE, body: incompressible(5_000_000).toString('base64') })],
    ['5 MB of JSON', () => apiResponse(5_000_000)],
  ])('byte for byte: %s', async (_name, make) => {
    const response = make();
    const handler = vi.fn(async () => response);
    const call = guards.guarded({ middy, handler });
    const order = newOrder();
    const first = JSON.stringify(await call(order));
    expect(first).toBe(JSON.stringify(response));
    expect(JSON.stringify(await call(order)) === first).toBe(true);
    expect(handler).toHaveBeenCalledTimes(1);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });
});

describe('I4 a finished effect is never forgotten, with an outcome of parts', () => {
  async function callAndRetry() {
    const handler = vi.fn(async () => LARGE);
    const order = newOrder();
    expect(await guards.guarded({ handler, options: { store: throughProxy() } })(order)).toEqual(LARGE);
    expect(await guards.guarded({ handler })(order)).toEqual(LARGE);
    expect(handler).toHaveBeenCalledTimes(1);
  }

  it('when parts are throttled, and then the answers to parts are lost', async () => {
    let parts = 0;
    proxy.decide = (request) =>
      !isPart(request) ? 'pass' : ((['throttle', 'lose answer'] as const)[parts++] ?? 'pass');
    await callAndRetry();
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('when the answer to the completion is lost: it is seen as done, and no part is written again', async () => {
    let completions = 0;
    proxy.decide = (request) => (isCompletion(request) && ++completions === 1 ? 'lose answer' : 'pass');
    await callAndRetry();
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
    expect(proxy.seen.filter((seen) => isPart(seen) && seen.operation === 'PutItem')).toHaveLength(2);
  });

  it('when the completion is throttled: no part is written again', async () => {
    let completions = 0;
    proxy.decide = (request) => (isCompletion(request) && ++completions <= 2 ? 'throttle' : 'pass');
    await callAndRetry();
    expect(proxy.seen.filter(isPart)).toHaveLength(2);
    expect(completions).toBe(3);
  });

  it('when a part is lost later: the retry is told, and nothing runs again', async () => {
    const handler = vi.fn(async () => LARGE);
    const call = guards.guarded({ handler });
    const order = newOrder();
    await call(order);
    await loseAPart();
    expect(await thrownBy(call(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE', statusCode: 409 });
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'notReplayable']);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it('when a part cannot be read now: 503, nothing runs again, and a later retry has the response', async () => {
    const handler = vi.fn(async () => LARGE);
    const call = guards.guarded({ handler, options: { store: throughProxy() } });
    const order = newOrder();
    await call(order);
    proxy.decide = (request) => (isPart(request) ? 'throttle' : 'pass');
    expect(await thrownBy(call(order))).toMatchObject({ code: 'STORE_UNAVAILABLE', statusCode: 503 });
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'claimFailed']);
    proxy.reset();
    expect(await call(order)).toEqual(LARGE);
    expect(handler).toHaveBeenCalledTimes(1);
  });
});

describe('I2 fenced, with an outcome of parts', () => {
  it('an execution that comes late leaves parts behind, and gets the outcome of its successor', async () => {
    const order = newOrder();
    const started = deferred();
    const gate = deferred();
    const late = guards.guarded({
      handler: async () => {
        started.resolve();
        await gate.promise;
        return LARGE;
      },
      options: { leaseMillis: 1000 },
    })(order);
    await started.promise;
    guards.clock.advance(3000);
    const second = { ...LARGE, body: incompressible(700_000, 2).toString('base64') };
    expect(await guards.guarded({ handler: async () => second })(order)).toEqual(second);
    gate.resolve();
    expect(JSON.stringify(await late) === JSON.stringify(second)).toBe(true);
    expect(await guards.guarded({ handler: vi.fn() })(order)).toEqual(second);
  });
});

describe('I5 losers, and I11 expiry, with an outcome of parts', () => {
  it('another payload is KEY_REUSED, also when the outcome could not be read', async () => {
    const options = { fingerprint: 'amount' };
    const order = newOrder();
    const call = guards.guarded({ handler: async () => LARGE, options });
    await call(order);
    await loseAPart();
    expect(await thrownBy(call({ ...order, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
  });

  it('past its retention it counts as absent, whether its parts are there or not', async () => {
    const handler = vi.fn(async () => LARGE);
    const call = guards.guarded({ handler, options: { retentionSeconds: 60 } });
    const order = newOrder();
    await call(order);
    await loseAPart();
    guards.clock.advance(60_000);
    expect(await call(order)).toEqual(LARGE);
    expect(handler).toHaveBeenCalledTimes(2);
    expect(await call(order)).toEqual(LARGE);
    expect(handler).toHaveBeenCalledTimes(2);
  });
});

it("a response over HTTP that cannot be read now is 503 even with onStoreError 'run': it is known that the work is done", async () => {
  const handler = vi.fn(async () => LARGE);
  const store = dynamoDBStore({ ...api.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1 }) });
  const post = api.api({ handler, options: { store, onStoreError: 'run' } });
  const request = { body: '{}', headers: [['Idempotency-Key', randomUUID()]] as [string, string][] };
  const first = await post(request);
  proxy.decide = (seen) => (isPart(seen) ? 'throttle' : 'pass');
  expect((await post(request)).statusCode).toBe(503);
  proxy.reset();
  expect((await post(request)).body === first.body).toBe(true);
  expect(handler).toHaveBeenCalledTimes(1);
});

it('a damaged text is not replayable, and nothing runs again', async () => {
  const { store } = guards;
  const order = { id: randomUUID() };
  const handler = vi.fn(async () => 'done');
  await guards.guarded({ handler })(order);
  const damaged = {
    ...store,
    insert: async () => {
      const existing = await store.read(String(guards.events.at(-1)?.id));
      const outcome = { type: 'RETURNED', json: '{"half' } as const;
      return { done: false, existing: existing?.status === 'COMPLETED' ? { ...existing, outcome } : existing } as const;
    },
  };
  const retry = guards.guarded({ handler, options: { store: damaged } });
  expect(await thrownBy(retry(order))).toMatchObject({ code: 'RESPONSE_NOT_REPLAYABLE' });
  expect(handler).toHaveBeenCalledTimes(1);
});
