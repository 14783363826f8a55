import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import {
  type IdempotencyHandle,
  idempotency,
  idempotent,
  idempotentTransaction,
  type RecordStore,
} from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { apiGatewayV2Event, lambdaContext } from 'middy-idempotency/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';
import { useTable } from '../support/table.ts';

const guards = useGuards();
const accounts = useTable();
const warn = vi.spyOn(process, 'emitWarning');

beforeEach(() => {
  warn.mockReset();
  process.env['MIDDY_IDEMPOTENCY_DISABLED'] = 'true';
});
afterEach(() => void delete process.env['MIDDY_IDEMPOTENCY_DISABLED']);

/** As an operator finds it: the table is gone. */
const lostTable = () => dynamoDBStore({ ...guards.table, tableName: 'no-such-table' });

const open = (id: string): TransactionItem => ({
  Put: { TableName: accounts.tableName, Item: { id }, ConditionExpression: 'attribute_not_exists(id)' },
});
const isOpen = async (id: string) => {
  const get = new GetCommand({ TableName: accounts.tableName, Key: { id }, ConsistentRead: true });
  return (await DynamoDBDocumentClient.from(accounts.client).send(get)).Item !== undefined;
};

describe.each(MIDDY_VERSIONS)('a guard that is switched off, with %s', (_, version) => {
  it('executes every request without its table, and says so for each', async () => {
    const handler = vi.fn(async () => 'done');
    const options = { store: lostTable(), allowDisabling: true, cache: { maxEntries: 10 } };
    const call = guards.guarded({ middy: version, handler, options });
    const order = newOrder();
    expect([await call(order), await call(order)]).toEqual(['done', 'done']);
    expect(handler).toHaveBeenCalledTimes(2);
    expect(guards.events).toMatchObject(Array(2).fill({ type: 'unguarded', operation: 'test' }));
    expect(await thrownBy(call({}))).toMatchObject({ code: 'KEY_MISSING' });
  });

  it('gives a handle that works: derived keys are the same, steps run, and transact writes', async () => {
    const keys: string[] = [];
    const id = randomUUID();
    const handler = async (_event: unknown, { idempotency: handle }: { idempotency: never }) => {
      const { deriveKey, step, extend, transact, complete } = handle as IdempotencyHandle<TransactionItem>;
      keys.push(deriveKey('charge'));
      const stepped = await step('reserve', () => ({ seat: 7 }));
      await extend(1000);
      if (keys.length === 2) await transact([open(id)], 'opened');
      else await complete('completed');
      return stepped;
    };
    const order = newOrder();
    const options = { allowDisabling: true };
    const disabled = guards.guarded({
      middy: version,
      handler: handler as never,
      options: { ...options, store: lostTable() },
    });
    delete process.env['MIDDY_IDEMPOTENCY_DISABLED'];
    const guarded = guards.guarded({ middy: version, handler: handler as never, options });
    expect(await guarded(order)).toEqual({ seat: 7 });
    expect(await disabled(order)).toEqual({ seat: 7 });
    expect(await isOpen(id)).toBe(true);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('the switch', () => {
  it('gives the error of the database itself when a transact is refused', async () => {
    const id = randomUUID();
    const fn = idempotent(
      async (_order: object, handle: IdempotencyHandle<TransactionItem>) => handle.transact([open(id)], 'opened'),
      {
        store: lostTable(),
        operation: 'open',
        key: 'id',
        passHandle: true,
        allowDisabling: true,
      },
    );
    await fn({ id: 'account' });
    expect(await thrownBy(fn({ id: 'account' }))).toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'ConditionalCheckFailed' }],
    });
  });

  it('answers over HTTP as an API without a guard, and still refuses a request without a key', async () => {
    const guard = httpIdempotency({ store: lostTable(), operation: 'pay', scope: 'anonymous', allowDisabling: true });
    let made = 0;
    const lambda = middy<APIGatewayProxyEventV2>()
      .use(guard)
      .handler(async () => ({ statusCode: 201, body: `${++made}` }));
    const call = (headers: Record<string, string>) => lambda(apiGatewayV2Event({ headers }), lambdaContext());
    const keyed = { 'idempotency-key': 'k-1' };
    expect([await call(keyed), await call(keyed)]).toEqual([
      { statusCode: 201, body: '1' },
      { statusCode: 201, body: '2' },
    ]);
    expect(await call({})).toMatchObject({ statusCode: 400 });
  });

  it('warns when the process starts, also where warnings are off', () => {
    idempotency({ store: memoryStore(), operation: 'pay', key: 'id', allowDisabling: true, warnings: false });
    const code = 'MIDDY_IDEMPOTENCY_DISABLED';
    expect(warn).toHaveBeenCalledExactlyOnceWith("Operation 'pay' runs unguarded", {
      type: 'IdempotencyWarning',
      code,
    });
  });

  it.each([
    ['the guard does not allow it', 'true', {}],
    ['the variable has another value', '1', { allowDisabling: true }],
    ['there is no variable', undefined, { allowDisabling: true }],
  ])('changes nothing where %s', async (_, value, options) => {
    if (value === undefined) delete process.env['MIDDY_IDEMPOTENCY_DISABLED'];
    else process.env['MIDDY_IDEMPOTENCY_DISABLED'] = value;
    const fn = vi.fn(async (_order: object) => 'done');
    const once = idempotent(fn, { store: memoryStore(), operation: 'pay', key: 'id', ...options });
    await once({ id: 1 });
    await once({ id: 1 });
    expect(fn).toHaveBeenCalledOnce();
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    ['idempotency', (options: object) => idempotency({ store: memoryStore(), key: 'id', ...options })],
    ['httpIdempotency', (options: object) => httpIdempotency({ store: memoryStore(), ...options })],
    [
      'idempotent',
      (options: object) => idempotent(async () => 1, { store: memoryStore(), operation: 'pay', key: 'id', ...options }),
    ],
  ])('is refused where the work must happen at most once: %s', (_, make) => {
    const options = { allowDisabling: true, onExpiredLease: 'throw' };
    expect(() => make(options)).toThrow('option `onExpiredLease`: excludes allowDisabling');
    delete process.env['MIDDY_IDEMPOTENCY_DISABLED'];
    expect(() => make(options)).toThrow('option `onExpiredLease`: excludes allowDisabling');
    expect(() => make({ allowDisabling: 'yes' })).toThrow('option `allowDisabling`: must be true or false');
  });

  it('is no option where there is no execution to guard', () => {
    const store = memoryStore() as RecordStore<never>;
    const plan = async () => ({ items: [], response: 1 });
    const options = { store, operation: 'pay', key: 'id', allowDisabling: true };
    expect(() => idempotentTransaction(plan, options as never)).toThrow('option `allowDisabling`: is not known');
  });
});
