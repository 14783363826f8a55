import middy from '@middy/core';
import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import {
  IdempotencyError,
  type IdempotencyOptions,
  idempotency,
  idempotent,
  type RecordStore,
} from 'middy-idempotency';
import { type HttpIdempotencyOptions, httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { lambdaContext, newOrder, type Order, TestClock, thrownBy } from './support/harness.ts';
import { SHAPES } from './support/http-events.ts';

const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
beforeEach(() => warn.mockClear());
afterAll(() => warn.mockRestore());

const noTable = () =>
  Promise.reject(
    new IdempotencyError('STORE_UNAVAILABLE', 'Retry later.', {
      retryable: false,
      advice: "There is no table 'nope'.",
    }),
  );
const without = (...verbs: readonly (keyof RecordStore)[]): RecordStore => ({
  ...memoryStore(),
  ...Object.fromEntries(verbs.map((verb) => [verb, noTable])),
});
const warning = (what: string) => [
  expect.stringContaining(what),
  { type: 'IdempotencyWarning', code: 'MIDDY_IDEMPOTENCY_FAILURE' },
];

describe('without onEvent, a failure that nobody is told of is a warning of the process:', () => {
  it('an outcome that could not be stored', async () => {
    const charge = idempotent(async (order: Order) => `charged ${order.id}`, {
      store: without('replace'),
      operation: 'charge',
      key: 'id',
    });
    const order = newOrder();
    expect(await charge(order)).toBe(`charged ${order.id}`);
    expect(warn.mock.calls).toEqual([warning("completionFailed in operation 'charge', record charge#")]);
    expect(warn.mock.calls[0]?.[0]).toContain("There is no table 'nope'.");
  });

  it('a record that could not be released, beside the error of the function', async () => {
    const charge = idempotent(
      async (_order: Order) => {
        throw new Error('no funds');
      },
      { store: without('replace'), operation: 'charge', key: 'id' },
    );
    expect(await thrownBy(charge(newOrder()))).toEqual(new Error('no funds'));
    expect(warn.mock.calls).toEqual([warning('releaseFailed')]);
  });

  it('a policy that throws', async () => {
    const settle = () => {
      throw new Error('a typo in the policy');
    };
    await idempotent(async (_order: Order) => 1, { store: memoryStore(), operation: 'charge', key: 'id', settle })(
      newOrder(),
    );
    expect(warn.mock.calls).toEqual([warning('a typo in the policy')]);
  });

  it.each([null, undefined, 'text', Object.create(null)])('a policy that throws %j', async (thrown) => {
    const settle = () => {
      throw thrown;
    };
    await idempotent(async (_order: Order) => 1, { store: memoryStore(), operation: 'charge', key: 'id', settle })(
      newOrder(),
    );
    expect(warn.mock.calls).toEqual([warning('settlePolicyFailed')]);
  });

  describe('over HTTP, where the client gets a problem without the reason,', () => {
    const [, shape] = SHAPES;
    const clock = new TestClock();
    const post = (
      options: HttpIdempotencyOptions<APIGatewayProxyEventV2>,
      headers: [string, string][] = [['idempotency-key', 'a']],
    ) =>
      middy<APIGatewayProxyEventV2>()
        .use(httpIdempotency(options))
        .handler(async () => ({ statusCode: 201 }))(
        shape?.event({ method: 'POST', path: '/', headers, body: '{}' }) as never,
        lambdaContext(clock) as never,
      );

    it('a table that is not there', async () => {
      const response = await post({ store: without('insert'), operation: 'pay', scope: 'anonymous' });
      expect(response).toMatchObject({ statusCode: 503 });
      expect(warn.mock.calls).toEqual([warning("claimFailed in operation 'pay': There is no table 'nope'.")]);
    });

    it('a caller whom no authorizer has verified', async () => {
      expect(await post({ store: memoryStore(), operation: 'pay' })).toMatchObject({ statusCode: 500 });
      expect(warn.mock.calls).toEqual([warning('refused')]);
      expect(warn.mock.calls[0]?.[0]).toContain('Is the authorizer missing?');
    });

    it("but not a client's mistake", async () => {
      expect(await post({ store: memoryStore(), operation: 'pay', scope: 'anonymous' }, [])).toMatchObject({
        statusCode: 400,
      });
      expect(warn).not.toHaveBeenCalled();
    });
  });

  it('but not one that the caller gets', async () => {
    const options: IdempotencyOptions = { store: without('insert'), operation: 'charge', key: 'id' };
    const call = middy()
      .use(idempotency(options))
      .handler(async () => 1);
    expect(await thrownBy(call(newOrder(), lambdaContext(new TestClock()) as never))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(await thrownBy(idempotent(async (_order: Order) => 1, options as never)(newOrder()))).toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    expect(warn).not.toHaveBeenCalled();
  });

  it('and nothing is with warnings: false, whatever onEvent does', async () => {
    const onEvent = vi.fn(() => {
      throw new Error('no metrics');
    });
    const options = { store: without('replace'), operation: 'charge', key: 'id', onEvent, warnings: false };
    await idempotent(async (_order: Order) => 1, options)(newOrder());
    expect(onEvent).toHaveBeenCalledWith(expect.objectContaining({ type: 'completionFailed' }));
    expect(warn).not.toHaveBeenCalled();
  });
});
