import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { settleByStatus } from 'middy-idempotency/http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { memoryStore } from '../../src/stores/memory.ts';
import { type Body, handling, useExecutions } from '../support/execution-harness.ts';
import type { DynamoDBRequest } from '../support/fault-proxy.ts';
import { crashing, deferred, lambdaContext, MIDDY_VERSIONS, newOrder, thrownBy } from '../support/harness.ts';
import { localClient, useTable } from '../support/table.ts';

const { guards, proxy, throughProxy } = useExecutions();
const accounts = useTable();

const isTransaction = ({ operation }: DynamoDBRequest) => operation === 'TransactWriteItems';

/** Counts how often it is applied. */
const deposit = (id: string): TransactionItem => ({
  Update: {
    TableName: accounts.tableName,
    Key: { id },
    UpdateExpression: 'ADD balance :amount',
    ExpressionAttributeValues: { ':amount': 10 },
  },
});
/** Fails where there is something already. */
const open = (id: string): TransactionItem => ({
  Put: {
    TableName: accounts.tableName,
    Item: { id, balance: 0 },
    ConditionExpression: 'attribute_not_exists(id)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  },
});

async function balance(id: string): Promise<number | undefined> {
  const get = new GetCommand({ TableName: accounts.tableName, Key: { id }, ConsistentRead: true });
  return (await DynamoDBDocumentClient.from(accounts.client).send(get)).Item?.['balance'];
}

const paid = { statusCode: 201, body: 'paid' };

describe.each(MIDDY_VERSIONS)('transact writes the effect and the outcome together, with %s', (_, middy) => {
  it('in one request, and a retry gets the response', async () => {
    const id = randomUUID();
    const body = vi.fn<Body>(async ({ transact }) => {
      await transact([deposit(id), open(randomUUID())], paid);
      return paid;
    });
    const call = guards.guarded({ middy, handler: handling(body), options: { store: throughProxy() } });
    const order = newOrder();
    expect(await call(order)).toEqual(paid);
    expect(proxy.seen.map(({ operation }) => operation)).toEqual(['PutItem', 'TransactWriteItems']);
    expect(await call(order)).toEqual(paid);
    expect(body).toHaveBeenCalledTimes(1);
    expect(await balance(id)).toBe(10);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('and a throw after it reaches the first caller, and changes nothing', async () => {
    const own = new Error('the mail could not be sent');
    const id = randomUUID();
    const body: Body = async ({ transact }) => {
      await transact([deposit(id)], paid);
      throw own;
    };
    const call = guards.guarded({ middy, handler: handling(body) });
    const order = newOrder();
    expect(await thrownBy(call(order))).toBe(own);
    expect(await call(order)).toEqual(paid);
    expect(await balance(id)).toBe(10);
  });
});

describe('a process that dies around transact', () => {
  const LINES = ['before it', 'when its answer was lost', 'after it'] as const;

  it.each(LINES)('%s leaves both or neither: the effect happens once', async (line) => {
    const id = randomUUID();
    const order = newOrder();
    const reached = deferred();
    const dies = () => crashing(() => reached.resolve())(order, {} as never);
    if (line === 'when its answer was lost') {
      proxy.decide = (request) => {
        if (!isTransaction(request)) return 'pass';
        reached.resolve();
        return 'lose answer';
      };
    }
    const body: Body = async ({ transact }) => {
      if (line === 'before it') await dies();
      await transact([deposit(id)], paid).catch(dies);
      await dies();
    };
    const options = { store: throughProxy(), onEvent: () => undefined };
    void guards.guarded({ handler: handling(body), options })(order);
    await reached.promise;
    const retry = guards.guarded({
      handler: handling(async ({ transact }) => {
        await transact([deposit(id)], paid);
        return paid;
      }),
    });
    if (line === 'before it') guards.clock.advance(31_100);
    await vi.waitFor(async () => expect(await retry(order)).toEqual(paid), { interval: 20 });
    expect(await balance(id)).toBe(10);
  });
});

describe('conditions of the items that fail', () => {
  it('come back as they are, in the order of the items, and the handler decides', async () => {
    const [fresh, taken] = [randomUUID(), randomUUID()];
    const seed = guards.guarded({ handler: handling(({ transact }) => transact([open(taken)], 'opened')) });
    await seed(newOrder());
    const body: Body = async ({ transact }) => {
      const error = await thrownBy(transact([open(fresh), open(taken)], paid));
      expect(error).toMatchObject({
        name: 'TransactionCanceledException',
        CancellationReasons: [
          { Code: 'None' },
          { Code: 'ConditionalCheckFailed', Item: { id: { S: taken } } },
          { Code: 'None' },
        ],
      });
      await transact([deposit(taken)], 'deposited instead');
      return 'deposited instead';
    };
    const call = guards.guarded({ handler: handling(body) });
    const order = newOrder();
    expect(await call(order)).toBe('deposited instead');
    expect(await call(order)).toBe('deposited instead');
    expect(await balance(fresh)).toBeUndefined();
    expect(await balance(taken)).toBe(10);
  });

  it('release the record where the handler lets them pass', async () => {
    const id = randomUUID();
    const call = guards.guarded({ handler: handling(({ transact }) => transact([open(id)], 'opened')) });
    await call(newOrder());
    guards.events.length = 0;
    expect(await thrownBy(call(newOrder()))).toMatchObject({ name: 'TransactionCanceledException' });
    expect(guards.eventTypes()).toEqual(['claimed', 'released']);
  });
});

describe('a 412 after transact', () => {
  const answers = async (use: Body, options: object = {}) => {
    const settle = settleByStatus;
    const statuses = [412, 201];
    const handler = handling(async (handle) => {
      await use(handle).catch(() => undefined);
      return { statusCode: statuses.shift() };
    });
    const call = guards.guarded({ handler, options: { settle, ...options } });
    const order = newOrder();
    return [await call(order), await call(order)];
  };

  it('is released where a condition of the items failed: nothing was written, and the key may come again', async () => {
    const taken = randomUUID();
    await guards.guarded({ handler: handling(({ transact }) => transact([open(taken)], 'opened')) })(newOrder());
    const refused = await answers(({ transact }) => transact([open(taken)], paid));
    expect(refused).toEqual([{ statusCode: 412 }, { statusCode: 201 }]);
  });

  it('is stored where the items may be written', async () => {
    let faults = 1;
    proxy.decide = (request) => (isTransaction(request) && faults-- > 0 ? 'lose answer' : 'pass');
    const use: Body = ({ transact }) => {
      // There is no time for another try.
      guards.clock.advance(28_990);
      return transact([deposit(randomUUID())], paid);
    };
    expect(await answers(use, { store: throughProxy() })).toEqual([{ statusCode: 412 }, { statusCode: 412 }]);
  });
});

describe('transact under faults', () => {
  const once: (id: string) => Body =
    (id) =>
    async ({ transact }) => {
      await transact([deposit(id)], paid);
      return paid;
    };

  it.each(['lose answer', 'throttle', 'conflict'] as const)('has its effect once: %s', async (fault) => {
    let faults = 2;
    proxy.decide = (request) => (isTransaction(request) && faults-- > 0 ? fault : 'pass');
    const id = randomUUID();
    const call = guards.guarded({ handler: handling(once(id)), options: { store: throughProxy() } });
    const order = newOrder();
    expect(await call(order)).toEqual(paid);
    expect(await call(order)).toEqual(paid);
    expect(await balance(id)).toBe(10);
    const tokens = proxy.seen.filter(isTransaction).map(({ body }) => JSON.parse(body).ClientRequestToken);
    expect(tokens).toHaveLength(3);
    expect(new Set(tokens).size).toBe(1);
    expect(guards.eventTypes()).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('is recognised by the record when DynamoDB has forgotten the token', async () => {
    const id = randomUUID();
    const { store } = guards;
    let lost = false;
    const forgetful = {
      ...store,
      async transact(...[record, expected, items]: Parameters<NonNullable<typeof store.transact>>) {
        const answer = await store.transact?.(record, expected, items, randomUUID());
        if (lost) return answer as never;
        lost = true;
        throw new Error('the answer was lost');
      },
    };
    const call = guards.guarded({ handler: handling(once(id)), options: { store: forgetful } });
    expect(await call(newOrder())).toEqual(paid);
    expect(await balance(id)).toBe(10);
  });

  /** No answer comes for as long as there is time; then the table answers again. */
  async function unanswered(fault: 'lose answer' | 'throttle', id = randomUUID()) {
    let isDown = true;
    proxy.decide = (request) => (isDown && isTransaction(request) ? fault : 'pass');
    const order = newOrder();
    const body: Body = async ({ transact }) => {
      guards.clock.advance(27_500);
      const end = guards.clock.now() + 2000;
      const ticking = setInterval(() => guards.clock.advance(Math.min(500, end - guards.clock.now())), 20);
      const error = await thrownBy(transact([deposit(id)], paid));
      clearInterval(ticking);
      isDown = false;
      expect(await thrownBy(transact([deposit(id)], paid))).toBeInstanceOf(TypeError);
      throw error;
    };
    const call = guards.guarded({ handler: handling(body), options: { store: throughProxy() } });
    const error = await thrownBy(call(order, lambdaContext(guards.clock, { remainingMillis: 30_000 })));
    expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await guards.guarded({ handler: handling(once(id)) })(order)).toEqual(paid);
    expect(await balance(id)).toBe(10);
    return guards.eventTypes();
  }

  it('is STORE_UNAVAILABLE without an answer; what was applied stays, and a retry gets it', async () => {
    expect(await unanswered('lose answer')).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('is STORE_UNAVAILABLE without an answer; what was not applied is done by the retry', async () => {
    expect(await unanswered('throttle')).toEqual(['claimed', 'released', 'takenOver', 'completed']);
  });

  it('is LEASE_LOST when another execution has taken over: neither effect nor outcome is written', async () => {
    const order = newOrder();
    const id = randomUUID();
    const { clock } = guards;
    const body: Body = async ({ transact }) => {
      clock.advance(31_500);
      await guards.guarded({ handler: async () => 'second' })(order);
      // This host's clock is behind: only the record can tell.
      const behind = clock.now() - 10_000;
      vi.spyOn(clock, 'now').mockImplementation(() => behind);
      await transact([deposit(id)], 'first').finally(() => vi.restoreAllMocks());
    };
    const slow = guards.guarded({ handler: handling(body), options: { leaseMillis: 30_000 } });
    const context = lambdaContext(clock, { remainingMillis: 900_000 });
    expect(await thrownBy(slow(order, context))).toMatchObject({ code: 'LEASE_LOST' });
    expect(await balance(id)).toBeUndefined();
    expect(await guards.guarded({ handler: async () => 'third' })(order)).toBe('second');
    expect(guards.eventTypes().filter((type) => type === 'leaseLost')).toHaveLength(1);
  });
});

describe('a mistake is told before anything is written', () => {
  const attempt = async (use: Body, options: object = {}) => {
    const call = guards.guarded({ handler: handling(use), options });
    return thrownBy(call(newOrder()));
  };

  it.each([
    ['none', []],
    ['no list', 'items' as never],
  ])('%s instead of items', async (_, items) => {
    const error = await attempt(({ transact }) => transact(items, paid), { store: throughProxy() });
    expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining('items') });
    expect(proxy.seen.filter(isTransaction)).toEqual([]);
  });

  it('more items than DynamoDB takes; 99 are none too many', async () => {
    const items = Array.from({ length: 100 }, () => deposit(randomUUID()));
    const options = { store: throughProxy() };
    const error = await attempt(({ transact }) => transact(items, paid), options);
    expect(error).toMatchObject({ name: 'ValidationException', message: expect.stringContaining('100') });
    expect(await attempt(({ transact }) => transact(items.slice(1), paid), options)).toBeUndefined();
  });

  it('a store without transactions', async () => {
    const { transact: _, ...store } = memoryStore();
    const error = await attempt(({ transact }) => transact([deposit('any')], paid), { store });
    expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining('no transactions') });
  });

  it('an outcome that is stored already', async () => {
    const id = randomUUID();
    const error = await attempt(async ({ transact, complete }) => {
      await complete(paid);
      await transact([deposit(id)], paid);
    });
    expect(error).toMatchObject({ name: 'TypeError', message: expect.stringContaining('stored already') });
    expect(await balance(id)).toBeUndefined();
  });

  it('an item twice, in the words of DynamoDB', async () => {
    const id = randomUUID();
    const error = await attempt(({ transact }) => transact([deposit(id), deposit(id)], paid));
    expect(error).toMatchObject({ name: 'ValidationException', message: expect.stringContaining('one item') });
  });

  it('a value that cannot be written, in the words of what translates it, and at once', async () => {
    const put = { Put: { TableName: accounts.tableName, Item: { id: 'x', note: { text: undefined } } } };
    const error = await attempt(({ transact }) => transact([put], paid), { store: throughProxy() });
    expect(error).toMatchObject({ message: expect.stringMatching(/removeUndefinedValues|undefined in a map/) });
    expect(proxy.seen.filter(isTransaction)).toEqual([]);
  });

  it.each([
    ['AccessDeniedException', 'a transaction what its items do'],
    ['ResourceNotFoundException', 'not authorized on table/accounts'],
  ])('a table of an item that cannot be used (%s), with advice', async (name, advice) => {
    const refusing = localClient();
    refusing.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName !== 'TransactWriteItemsCommand') return next(args);
          throw Object.assign(new Error('not authorized on table/accounts'), {
            name,
            $metadata: { httpStatusCode: 400 },
          });
        },
      { step: 'build' },
    );
    const options = { store: dynamoDBStore({ ...guards.table, client: refusing }) };
    expect(await attempt(({ transact }) => transact([deposit('any')], paid), options)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retryable: false,
      advice: expect.stringContaining(advice),
    });
  });
});

it("translates items as the user's own document client is set to", async () => {
  const client = DynamoDBDocumentClient.from(localClient(), { marshallOptions: { removeUndefinedValues: true } });
  const id = randomUUID();
  const put = { Put: { TableName: accounts.tableName, Item: { id, balance: 7, note: { text: undefined } } } };
  const options = { store: dynamoDBStore({ ...guards.table, client }) };
  await guards.guarded({ handler: handling(({ transact }) => transact([put], paid)), options })(newOrder());
  expect(await balance(id)).toBe(7);
  expect(client.config.translateConfig).toEqual({ marshallOptions: { removeUndefinedValues: true } });
});

describe('a guard that an operator has switched off', () => {
  const disabled = (items: readonly TransactionItem[]) => {
    vi.stubEnv('MIDDY_IDEMPOTENCY_DISABLED', 'true');
    vi.spyOn(process, 'emitWarning').mockReturnValue();
    const body: Body = async ({ transact }) => {
      await transact(items, paid);
      return paid;
    };
    return guards.guarded({ handler: handling(body), options: { store: throughProxy(), allowDisabling: true } });
  };
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('writes the items alone, as often as the request comes', async () => {
    const id = randomUUID();
    const call = disabled([deposit(id)]);
    const order = newOrder();
    expect([await call(order), await call(order)]).toEqual([paid, paid]);
    expect(await balance(id)).toBe(20);
    expect(proxy.seen.map(({ operation }) => operation)).toEqual(['TransactWriteItems', 'TransactWriteItems']);
  });

  it('gives the error of the database itself when a transact is refused', async () => {
    const id = randomUUID();
    const call = disabled([open(id)]);
    await call(newOrder());
    expect(await thrownBy(call(newOrder()))).toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'ConditionalCheckFailed' }],
    });
  });
});
