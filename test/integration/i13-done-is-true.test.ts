import { randomUUID } from 'node:crypto';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import { describe, expect, it } from 'vitest';
import { dynamoDBStore, type TransactionItem } from '../../src/stores/dynamodb.ts';
import { type Body, type Handle, handling, useExecutions } from '../support/execution-harness.ts';
import type { DynamoDBRequest } from '../support/fault-proxy.ts';
import { newOrder, thrownBy } from '../support/harness.ts';
import type { Fault } from '../support/proxy.ts';
import { localClient, useTable } from '../support/table.ts';

const { guards, proxy } = useExecutions();
const accounts = useTable();

const isTransaction = ({ operation }: DynamoDBRequest) => operation === 'TransactWriteItems';
const isCompletion = ({ operation, body }: DynamoDBRequest) => operation === 'PutItem' && body.includes('COMPLETED');

const written = (id: string): TransactionItem => ({ Put: { TableName: accounts.tableName, Item: { id } } });

async function isThere(id: string): Promise<boolean> {
  const get = new GetCommand({ TableName: accounts.tableName, Key: { id }, ConsistentRead: true });
  return (await DynamoDBDocumentClient.from(accounts.client).send(get)).Item !== undefined;
}

const storeWith = (config: DynamoDBClientConfig = {}) =>
  dynamoDBStore({
    ...guards.table,
    client: localClient({ endpoint: proxy.endpoint, maxAttempts: 1, ...config }),
  });

/** The first request that matches meets the first fault, the next ones meet the other, until `end` is called. */
function faults(matches: (request: DynamoDBRequest) => boolean, first: Fault, later: Fault) {
  let tries = 0;
  let isOver = false;
  proxy.decide = (request) => (isOver || !matches(request) ? 'pass' : tries++ === 0 ? first : later);
  return {
    end() {
      isOver = true;
      return tries;
    },
  };
}

const LATER: readonly Fault[] = ['expire token', 'block'];

/** The handler writes A with the given verb, which fails; then it writes B in a transaction. */
async function firstThenB(
  first: (handle: Handle, a: string) => Promise<unknown>,
  end: () => void,
  store = storeWith(),
) {
  const [a, b] = [randomUUID(), randomUUID()];
  let firstError: unknown;
  let secondError: unknown;
  const body: Body = async (handle) => {
    firstError = await thrownBy(first(handle, a));
    end();
    secondError = await thrownBy(handle.transact([written(b)], 'B'));
    if (secondError !== undefined) throw secondError;
    return 'B';
  };
  const order = newOrder();
  const answer = await guards
    .guarded({ handler: handling(body), options: { store } })(order)
    .catch((error: unknown) => error);
  const retry = await guards
    .guarded({ handler: handling(async () => 'executed again') })(order)
    .catch((error: unknown) => error);
  return { firstError, secondError, answer, retry, a: await isThere(a), b: await isThere(b) };
}

describe('I13 transact says "done" only for items that are there', () => {
  it.each(LATER)('when an earlier transaction was applied without an answer, and then refused: %s', async (later) => {
    const { end } = faults(isTransaction, 'lose answer', later);
    const seen = await firstThenB(({ transact }, a) => transact([written(a)], 'A'), end);
    expect(seen.firstError).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    // The record is COMPLETED with A, so that B can no longer be written.
    expect(seen).toMatchObject({ a: true, b: false, retry: 'A' });
    expect(seen.secondError).toBeInstanceOf(Error);
    expect(seen.answer).toBe(seen.secondError);
  });

  it.each(LATER)(
    'also when only the SDK has seen the try without an answer, and later tries are refused: %s',
    async (later) => {
      const { end } = faults(isTransaction, 'lose answer', later);
      const store = storeWith({ maxAttempts: 3 });
      const seen = await firstThenB(({ transact }, a) => transact([written(a)], 'A'), end, store);
      expect(seen.firstError).toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(seen).toMatchObject({ a: true, b: false, retry: 'A' });
      expect(seen.secondError).toBeInstanceOf(Error);
    },
  );

  it.each(LATER)('when an earlier transaction was never applied, and then refused: %s', async (later) => {
    const { end } = faults(isTransaction, 'drop', later);
    const seen = await firstThenB(({ transact }, a) => transact([written(a)], 'A'), end);
    expect(seen.firstError).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(seen.a).toBe(false);
    expect(seen.b).toBe(seen.secondError === undefined);
  });

  it.each(LATER)('when an earlier `complete` was applied without an answer, and then refused: %s', async (later) => {
    const { end } = faults(isCompletion, 'lose answer', later);
    const seen = await firstThenB(({ complete }) => complete('A'), end);
    expect(seen.firstError).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(seen).toMatchObject({ b: false, retry: 'A' });
    expect(seen.secondError).toBeInstanceOf(Error);
  });

  it('when the answer was lost behind a `fetch`, which only says that it has failed', async () => {
    const { end } = faults(isTransaction, 'lose answer', 'drop');
    const store = storeWith({ requestHandler: new FetchHttpHandler() });
    // The second try of the guard finds the transaction applied, or the handler gets STORE_UNAVAILABLE.
    const seen = await firstThenB(
      ({ transact }, a) => {
        guards.clock.advance(27_500);
        const ticking = setInterval(() => guards.clock.advance(100), 20);
        return transact([written(a)], 'A').finally(() => clearInterval(ticking));
      },
      end,
      store,
    );
    expect(seen.firstError).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(seen).toMatchObject({ a: true, b: false, retry: 'A' });
    expect(seen.secondError).toBeInstanceOf(Error);
  });

  it('and a transaction behind a `fetch` is sent again with its token after a lost answer', async () => {
    let tries = 0;
    proxy.decide = (request) => (isTransaction(request) && tries++ === 0 ? 'lose answer' : 'pass');
    const store = storeWith({ requestHandler: new FetchHttpHandler() });
    const a = randomUUID();
    const body: Body = async ({ transact }) => {
      await transact([written(a)], 'A');
      return 'A';
    };
    expect(await guards.guarded({ handler: handling(body), options: { store } })(newOrder())).toBe('A');
    expect(await isThere(a)).toBe(true);
    expect(proxy.seen.filter(isTransaction)).toHaveLength(2);
  });
});

describe('I13 the end of an execution whose transaction has an unknown state', () => {
  it.each(LATER)('is not released, and no retry executes, when the handler throws: %s', async (later) => {
    const { end } = faults(isTransaction, 'lose answer', later);
    const a = randomUUID();
    const body: Body = ({ transact }) => transact([written(a)], 'A').finally(end);
    const order = newOrder();
    expect(await thrownBy(guards.guarded({ handler: handling(body), options: { store: storeWith() } })(order))).toEqual(
      expect.objectContaining({ code: 'STORE_UNAVAILABLE' }),
    );
    expect(await guards.guarded({ handler: handling(async () => 'executed again') })(order)).toBe('A');
  });

  it.each(LATER)('answers the first caller as the retry when the handler returns: %s', async (later) => {
    const { end } = faults(isTransaction, 'lose answer', later);
    const a = randomUUID();
    const body: Body = async ({ transact }) => {
      await thrownBy(transact([written(a)], 'A'));
      end();
      return 'not certain';
    };
    const order = newOrder();
    const first = await guards.guarded({ handler: handling(body), options: { store: storeWith() } })(order);
    expect(await guards.guarded({ handler: handling(async () => 'executed again') })(order)).toBe(first);
  });
});
