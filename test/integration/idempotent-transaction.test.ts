import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import { idempotentTransaction } from 'middy-idempotency';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import { memoryStore } from 'middy-idempotency/memory';
import { describe, expect, it, vi } from 'vitest';
import type { Runtime } from '../../src/core/runtime.ts';
import { createTransaction } from '../../src/transaction.ts';
import { useExecutions } from '../support/execution-harness.ts';
import type { DynamoDBRequest } from '../support/fault-proxy.ts';
import { crashing, deferred, lambdaContext, newOrder, type Order, thrownBy, VirtualClock } from '../support/harness.ts';
import { useTable } from '../support/table.ts';

const { guards, proxy, throughProxy } = useExecutions();
const accounts = useTable();

interface Deposit extends Order {
  readonly account: string;
}

const newDeposit = (): Deposit & { id: string } => ({ ...newOrder(), account: randomUUID() });

/** Counts how often it is applied. */
const add = ({ account }: Deposit): TransactionItem => ({
  Update: {
    TableName: accounts.tableName,
    Key: { id: account },
    UpdateExpression: 'ADD balance :amount',
    ExpressionAttributeValues: { ':amount': 10 },
  },
});
/** Fails where it has been written before. */
const entry = (id: string): TransactionItem => ({
  Put: { TableName: accounts.tableName, Item: { id }, ConditionExpression: 'attribute_not_exists(id)' },
});

async function balance({ account }: Deposit): Promise<number | undefined> {
  const get = new GetCommand({ TableName: accounts.tableName, Key: { id: account }, ConsistentRead: true });
  return (await DynamoDBDocumentClient.from(accounts.client).send(get)).Item?.['balance'];
}

type Made = { readonly items: readonly TransactionItem[]; readonly response: unknown };
type MakePlan = (context: { deriveKey(name: string): string }, deposit: Deposit) => Made | Promise<Made>;

const depositing: MakePlan = (_, deposit) => ({ items: [add(deposit)], response: { deposited: 10 } });

function transaction(plan: MakePlan, options: object = {}, runtime: Runtime = guards.clock) {
  const common = { store: throughProxy(), key: 'id', fingerprint: 'amount', operation: 'test', warnings: false };
  const onEvent = (event: (typeof guards.events)[number]) => void guards.events.push(event);
  return createTransaction(plan as never, { ...common, onEvent, ...options } as never, runtime) as (
    ...args: readonly unknown[]
  ) => Promise<unknown>;
}

const requests = () => proxy.seen.map(({ operation }) => operation);
const isTransaction = ({ operation }: DynamoDBRequest) => operation === 'TransactWriteItems';

describe('idempotentTransaction', () => {
  it('does a request exactly once, in one request to the store, and gives a retry its response', async () => {
    const plan = vi.fn(depositing);
    const call = transaction(plan);
    const deposit = newDeposit();
    expect(await call(deposit)).toEqual({ deposited: 10 });
    expect(requests()).toEqual(['TransactWriteItems']);
    expect(await call(deposit)).toEqual({ deposited: 10 });
    expect(requests()).toEqual(['TransactWriteItems', 'TransactWriteItems']);
    expect(await balance(deposit)).toBe(10);
    expect(guards.eventTypes()).toEqual(['completed', 'replayed']);
  });

  it('looks first by option: a retry reads the record, and makes no plan', async () => {
    const plan = vi.fn(depositing);
    const call = transaction(plan, { lookFirst: true });
    const deposit = newDeposit();
    await call(deposit);
    expect(await call(deposit)).toEqual({ deposited: 10 });
    expect(plan).toHaveBeenCalledTimes(1);
    expect(requests()).toEqual(['GetItem', 'TransactWriteItems', 'GetItem']);
  });

  it('has one effect, and one answer for all, when twenty come at the same time', async () => {
    let made = 0;
    const call = transaction((_, deposit) => ({ items: [add(deposit)], response: { plan: ++made } }));
    const deposit = newDeposit();
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(deposit)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await balance(deposit)).toBe(10);
  });

  it('gives the plan keys that are the same on every attempt', async () => {
    const keys: string[] = [];
    const call = transaction(({ deriveKey }, deposit) => {
      keys.push(deriveKey('entry'));
      return { items: [add(deposit)], response: 1 };
    });
    const deposit = newDeposit();
    await call(deposit);
    await call(deposit);
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('may write nothing but its record', async () => {
    const call = transaction(() => ({ items: [], response: 'nothing to do' }));
    const deposit = newDeposit();
    expect([await call(deposit), await call(deposit)]).toEqual(['nothing to do', 'nothing to do']);
  });

  it('replays from the cache without a request', async () => {
    const call = transaction(depositing, { cache: { maxEntries: 1 } });
    const deposit = newDeposit();
    await call(deposit);
    proxy.seen.length = 0;
    expect(await call(deposit)).toEqual({ deposited: 10 });
    expect(requests()).toEqual([]);
  });

  it('takes the place of a handler of Middy', async () => {
    const depositOnce = idempotentTransaction(
      (_context, deposit: Deposit) => ({ items: [add(deposit)], response: { statusCode: 201 } }),
      { store: throughProxy(), key: 'id', operation: 'test' },
    );
    const handler = middy<Deposit>().handler(depositOnce);
    const deposit = newDeposit();
    for (const _ of [1, 2]) expect(await handler(deposit, lambdaContext())).toEqual({ statusCode: 201 });
    expect(await balance(deposit)).toBe(10);
  });
});

describe('the plan of a retry', () => {
  it('that throws, because of what the first request wrote, gives way to the outcome of the first one', async () => {
    const call = transaction(async (_, deposit) => {
      if ((await balance(deposit)) !== undefined) throw new Error('deposited already');
      return { items: [add(deposit)], response: 'deposited' };
    });
    const deposit = newDeposit();
    expect([await call(deposit), await call(deposit)]).toEqual(['deposited', 'deposited']);
    expect(await thrownBy(call({ ...deposit, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
    expect(await balance(deposit)).toBe(10);
  });

  it('whose condition fails, because of what the first request wrote, gives way to it, too', async () => {
    const call = transaction((_, deposit) => ({
      items: [entry(deposit.account), add({ ...deposit, account: `${deposit.account}!` })],
      response: 'deposited',
    }));
    const deposit = newDeposit();
    expect([await call(deposit), await call(deposit)]).toEqual(['deposited', 'deposited']);
  });

  it('of another payload is KEY_REUSED, and has no effect', async () => {
    const call = transaction(depositing);
    const deposit = newDeposit();
    await call(deposit);
    expect(await thrownBy(call({ ...deposit, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
    expect(await balance(deposit)).toBe(10);
  });
});

describe("the user's own failure", () => {
  it('of a condition comes back as it is, and records nothing', async () => {
    const taken = randomUUID();
    await transaction(() => ({ items: [entry(taken)], response: 1 }))(newDeposit());
    let isTaken = true;
    const call = transaction((_, deposit) => ({
      items: isTaken ? [add(deposit), entry(taken)] : [add(deposit)],
      response: 'deposited',
    }));
    const deposit = newDeposit();
    expect(await thrownBy(call(deposit))).toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }, { Code: 'None' }],
    });
    expect(await balance(deposit)).toBeUndefined();
    isTaken = false;
    expect(await call(deposit)).toBe('deposited');
  });

  it('of the plan comes back as it is, and records nothing', async () => {
    const own = new Error('no such account');
    const plan = vi.fn(depositing).mockRejectedValueOnce(own);
    const call = transaction(plan);
    const deposit = newDeposit();
    expect(await thrownBy(call(deposit))).toBe(own);
    expect(await call(deposit)).toEqual({ deposited: 10 });
  });

  it('is not told where the record cannot be read: it may be the effect of the first request', async () => {
    const call = transaction(() => {
      throw new Error('deposited already');
    });
    proxy.decide = ({ operation }) => (operation === 'GetItem' ? 'throttle' : 'pass');
    expect(await thrownBy(call(newDeposit(), lambdaContext(guards.clock, { remainingMillis: 400 })))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
  });

  it('of a plan that is no plan is a TypeError', async () => {
    for (const made of [undefined, [], { response: 1 }, { items: {}, response: 1 }]) {
      expect(await thrownBy(transaction(() => made as never)(newDeposit()))).toMatchObject({
        name: 'TypeError',
        message: expect.stringContaining('{ items, response }'),
      });
    }
  });
});

describe('a transaction whose answer is lost', () => {
  it('is sent again, and is done once', async () => {
    let lost = 2;
    proxy.decide = (request) => (isTransaction(request) && lost-- > 0 ? 'lose answer' : 'pass');
    const deposit = newDeposit();
    expect(await transaction(depositing)(deposit)).toEqual({ deposited: 10 });
    expect(await balance(deposit)).toBe(10);
    expect(guards.eventTypes()).toEqual(['completed']);
  });

  it('and that is never answered is STORE_UNAVAILABLE, and a retry finds out', async () => {
    proxy.decide = (request) => (isTransaction(request) ? 'lose answer' : 'pass');
    const call = transaction(depositing);
    const deposit = newDeposit();
    const context = lambdaContext(undefined, { remainingMillis: 1000 });
    expect(await thrownBy(call(deposit, context))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('could not be brought to its end'),
    });
    proxy.reset();
    expect(await call(deposit)).toEqual({ deposited: 10 });
    expect(await balance(deposit)).toBe(10);
    expect(guards.eventTypes()).toEqual(['claimFailed', 'replayed']);
  });

  it('is not told as refused where a later try is refused: a retry finds out', async () => {
    let tries = 0;
    proxy.decide = (request) => (!isTransaction(request) ? 'pass' : ++tries === 1 ? 'lose answer' : 'expire token');
    const call = transaction(depositing);
    const deposit = newDeposit();
    expect(await thrownBy(call(deposit))).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: undefined });
    proxy.reset();
    expect(await call(deposit)).toEqual({ deposited: 10 });
    expect(await balance(deposit)).toBe(10);
  });
});

describe('a record of the claiming guard under the same id', () => {
  const claiming = (handler: (deposit: Deposit) => Promise<unknown>, options: object = {}) =>
    guards.guarded({ handler: handler as never, options: { fingerprint: 'amount', ...options } });

  it('in progress is IN_FLIGHT, and nothing is written', async () => {
    const started = deferred();
    const deposit = newDeposit();
    void guards.guarded({ handler: crashing(() => started.resolve()), options: { fingerprint: 'amount' } })(deposit);
    await started.promise;
    expect(await thrownBy(transaction(depositing)(deposit))).toMatchObject({ code: 'IN_FLIGHT' });
    expect(await balance(deposit)).toBeUndefined();
    guards.clock.advance(31_100);
    expect(await transaction(depositing)(deposit)).toEqual({ deposited: 10 });
    expect(guards.events.at(-1)).toMatchObject({ type: 'completed', attempt: 2 });
  });

  it("in progress, its lease ended, with onExpiredLease 'throw' is OUTCOME_UNKNOWN", async () => {
    const started = deferred();
    const deposit = newDeposit();
    const options = { fingerprint: 'amount', onExpiredLease: 'throw' };
    void guards.guarded({ handler: crashing(() => started.resolve()), options: options as never })(deposit);
    await started.promise;
    guards.clock.advance(31_100);
    const call = transaction(depositing, { onExpiredLease: 'throw' });
    expect(await thrownBy(call(deposit))).toMatchObject({ code: 'OUTCOME_UNKNOWN' });
  });

  it('completed is replayed, and the other way round', async () => {
    const [first, second] = [newDeposit(), newDeposit()];
    await claiming(async () => 'claimed')(first);
    expect(await transaction(depositing)(first)).toBe('claimed');
    await transaction(depositing)(second);
    const handler = vi.fn();
    expect(await claiming(handler)(second)).toEqual({ deposited: 10 });
    expect(handler).not.toHaveBeenCalled();
  });

  it('released is taken over, with a higher fencing token and only by the same payload', async () => {
    const deposit = newDeposit();
    const failing = claiming(async () => {
      throw new Error('no');
    });
    await thrownBy(failing(deposit));
    expect(await thrownBy(transaction(depositing)({ ...deposit, amount: 11 }))).toMatchObject({ code: 'KEY_REUSED' });
    expect(await transaction(depositing)(deposit)).toEqual({ deposited: 10 });
    expect(guards.events.at(-1)).toMatchObject({ type: 'completed', attempt: 2 });
  });

  it('expired counts as absent', async () => {
    const call = transaction(depositing, { retentionSeconds: 1 });
    const deposit = newDeposit();
    await call(deposit);
    guards.clock.advance(2001);
    await call(deposit);
    expect(await balance(deposit)).toBe(20);
  });

  it('in progress is waited for by option', async () => {
    const deposit = newDeposit();
    const release = deferred();
    const started = deferred();
    const running = claiming(async () => {
      started.resolve();
      await release.promise;
      return 'claimed';
    })(deposit);
    await started.promise;
    const options = { onInFlight: { waitMillis: 20_000 }, onEvent: () => release.resolve() };
    expect(await transaction(depositing, options)(deposit)).toBe('claimed');
    await running;
  });
});

it('waits for other executions no longer than it was told to, although it looks again when its plan throws', async () => {
  const deposit = newDeposit();
  const clock = new VirtualClock();
  const store = memoryStore();
  const started = deferred();
  void guards.guarded({ handler: crashing(() => started.resolve()), options: { store, leaseMillis: 500_000 }, clock })(
    deposit,
    lambdaContext(clock, { remainingMillis: 900_000 }),
  );
  await started.promise;
  let reads = 0;
  // The second look finds nothing: so the plan is made, throws, and is followed by another look.
  const watched = { ...store, read: async (id: string) => (++reads === 2 ? undefined : store.read(id)) };
  const plan = vi.fn<MakePlan>(() => {
    throw new Error('deposited already');
  });
  const waiting = { fingerprint: undefined, lookFirst: true, onInFlight: { waitMillis: 2000 } };
  const call = transaction(plan, { store: watched, ...waiting }, clock);
  expect(await thrownBy(call(deposit))).toMatchObject({ code: 'IN_FLIGHT' });
  expect(plan).toHaveBeenCalledTimes(1);
  expect(clock.monotonic()).toBe(2000);
});

describe('options of idempotentTransaction', () => {
  it.each([
    ['leaseMillis', 1000],
    ['settle', () => 'store'],
    ['onMissingKey', 'run'],
    ['passHandle', true],
    ['lookFirst', 'yes'],
    ['store', { insert() {}, replace() {}, remove() {}, read() {} }],
    ['operation', undefined],
  ])('refuse %s: %s', (name, value) => {
    expect(() => transaction(depositing, { [name]: value })).toThrow(new RegExp(name));
  });

  it('refuse a plan that is no function', () => {
    expect(() => createTransaction('plan' as never, {} as never, guards.clock)).toThrow('plan must be a function');
  });
});
