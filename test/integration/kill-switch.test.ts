import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { idempotency, idempotent, idempotentTransaction, type RecordStore } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { apiGatewayV2Event, lambdaContext } from 'middy-idempotency/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MIDDY_VERSIONS, newOrder, thrownBy, useGuards } from '../support/harness.ts';

const guards = useGuards();
const warn = vi.spyOn(process, 'emitWarning');

beforeEach(() => {
  warn.mockReset();
  process.env['MIDDY_IDEMPOTENCY_DISABLED'] = 'true';
});
afterEach(() => void delete process.env['MIDDY_IDEMPOTENCY_DISABLED']);

/** As an operator finds it: the table is gone. */
const lostTable = () => dynamoDBStore({ ...guards.table, tableName: 'no-such-table' });

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

  it('gives a handle that works: derived keys are the same, steps run, and a response may be stored early', async () => {
    const keys: string[] = [];
    const handler: Parameters<typeof guards.guarded>[0]['handler'] = async (_event, { idempotency }) => {
      const { deriveKey, step, extend, complete, signal, attempt } = idempotency;
      keys.push(deriveKey('charge'));
      const stepped = await step('reserve', () => ({ seat: 7 }));
      await extend(1000);
      await complete('completed');
      return { ...stepped, attempt, isAborted: signal.aborted };
    };
    const order = newOrder();
    const options = { allowDisabling: true };
    const disabled = guards.guarded({ middy: version, handler, options: { ...options, store: lostTable() } });
    delete process.env['MIDDY_IDEMPOTENCY_DISABLED'];
    const guarded = guards.guarded({ middy: version, handler, options });
    const answer = { seat: 7, attempt: 1, isAborted: false };
    expect([await guarded(order), await disabled(order)]).toEqual([answer, answer]);
    expect(new Set(keys).size).toBe(1);
  });
});

describe('the switch', () => {
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
