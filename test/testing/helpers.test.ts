import { type IdempotencyEvent, idempotent } from 'middy-idempotency';
import { sqsMessageKey } from 'middy-idempotency/events';
import { memoryStore } from 'middy-idempotency/memory';
import {
  albEvent,
  apiGatewayV1Event,
  apiGatewayV2Event,
  faultyStore,
  functionUrlEvent,
  lambdaContext,
  retry,
  sqsEvent,
} from 'middy-idempotency/testing';
import { describe, expect, it } from 'vitest';
import { readRequest } from '../../src/http/request.ts';

describe('lambdaContext', () => {
  it('has a remaining time that the test moves', () => {
    const context = lambdaContext({ timeoutMillis: 3000, functionName: 'pay' });
    context.elapse(1000);
    expect(context.getRemainingTimeInMillis()).toBe(2000);
    expect(context.functionName).toBe('pay');
  });

  it('follows a clock of the test', () => {
    let now = 5;
    const context = lambdaContext({ timeoutMillis: 100, now: () => now });
    now += 30;
    expect(context.getRemainingTimeInMillis()).toBe(70);
  });

  it('refuses a timeout that is none', () =>
    expect(() => lambdaContext({ timeoutMillis: 0 })).toThrow(/timeoutMillis/));
});

describe('gateway events', () => {
  const request = {
    method: 'PUT',
    path: '/payments/1',
    headers: { 'Idempotency-Key': '"k"' },
    query: { dry: 'run' },
    body: { amount: 1 },
  };

  it.each([
    ['v2', apiGatewayV2Event(request)],
    ['v2', functionUrlEvent(request)],
    ['v1', apiGatewayV1Event(request)],
    ['alb', albEvent(request)],
  ] as const)('of %s are read by httpIdempotency', (shape, event) => {
    const read = readRequest(event);
    expect(read).toMatchObject({ shape, method: 'PUT', path: '/payments/1', body: '{"amount":1}' });
    expect(read.header('idempotency-key')).toEqual(['"k"']);
    expect(read.header('content-type')).toEqual(['application/json']);
    expect([...read.query]).toEqual([['dry', ['run']]]);
  });

  it('have defaults, and what an authorizer has found out', () => {
    const jwt = { claims: { sub: 'user' } };
    expect(apiGatewayV2Event({ authorizer: { jwt } }).requestContext).toMatchObject({ authorizer: { jwt } });
    expect(apiGatewayV1Event()).toMatchObject({ httpMethod: 'POST', path: '/', body: null });
  });
});

describe('retry', () => {
  const failing = (times: number, failure: () => unknown, success: unknown = { statusCode: 200 }) => {
    const seen: unknown[] = [];
    const handler = async (event: unknown) => {
      seen.push(event);
      return seen.length <= times ? failure() : success;
    };
    return { seen, handler };
  };
  const boom = () => {
    throw new Error('boom');
  };

  it('sends an HTTP request again after 5xx, 409 and a throw, and not after another 4xx', async () => {
    const unavailable = failing(2, () => ({ statusCode: 503 }));
    expect(await retry(unavailable.handler, apiGatewayV2Event())).toMatchObject({
      succeeded: true,
      response: { statusCode: 200 },
    });
    expect(unavailable.seen).toHaveLength(3);
    const invalid = failing(9, () => ({ statusCode: 422 }));
    expect(await retry(invalid.handler, apiGatewayV2Event())).toMatchObject({ succeeded: false });
    expect(invalid.seen).toHaveLength(1);
  });

  it('invokes an asynchronous invocation three times, as Lambda does', async () => {
    const { seen, handler } = failing(9, boom);
    const { answers, succeeded } = await retry(handler, { detail: {} });
    expect([seen.length, answers.length, succeeded]).toEqual([3, 3, false]);
  });

  it('sends the messages of a queue again that have failed, with a higher receive count', async () => {
    const event = sqsEvent(['a', 'b']);
    const failed = { batchItemFailures: [{ itemIdentifier: event.Records[1]?.messageId }] };
    const { seen, handler } = failing(1, () => failed, { batchItemFailures: [] });
    await retry(handler, event);
    expect(seen[1]).toMatchObject({ Records: [{ body: 'b', attributes: { ApproximateReceiveCount: '2' } }] });
  });

  it('sends the rest of a batch of a stream again, from the first failure on', async () => {
    const record = (sequenceNumber: string) => ({ eventSource: 'aws:kinesis', kinesis: { sequenceNumber } });
    const event = { Records: ['1', '2', '3'].map(record) };
    const { seen, handler } = failing(1, () => ({ batchItemFailures: [{ itemIdentifier: '2' }] }), {});
    await retry(handler, event);
    expect(seen[1]).toEqual({ Records: [record('2'), record('3')] });
  });

  it('gives a guarded consumer its replay', async () => {
    let bookings = 0;
    const book = idempotent(async (_: { messageId: string }) => ++bookings, {
      store: memoryStore(),
      operation: 'book',
      key: (record) => sqsMessageKey(record as never),
    });
    const event = sqsEvent(['a']);
    const handler = async ({ Records: [record] }: typeof event) => {
      if (record !== undefined) await book(record);
      if (bookings === 1 && record?.attributes.ApproximateReceiveCount === '1') throw new Error('after the booking');
      return {};
    };
    expect(await retry(handler, event)).toMatchObject({ succeeded: true });
    expect(bookings).toBe(1);
  });
});

describe('faultyStore', () => {
  const guarded = (...faults: Parameters<typeof faultyStore>[1][]) => {
    const events: IdempotencyEvent['type'][] = [];
    let calls = 0;
    const store = faultyStore(memoryStore(), ...faults);
    const call = idempotent(async (id: string) => `${id}${++calls}`, {
      store,
      operation: 'call',
      key: (id) => id,
      warnings: false,
      onEvent: ({ type }) => void events.push(type),
    });
    return { call, events };
  };

  it('loses the answer of a write that it has made: the guard recognises its own', async () => {
    const { call, events } = guarded({ verb: 'insert', fault: 'applied' }, { verb: 'replace', fault: 'applied' });
    expect([await call('a').catch((error) => error.code), await call('b')]).toEqual(['STORE_UNAVAILABLE', 'b1']);
    expect(events).toContain('completed');
  });

  it('fails at the call that is asked for, and writes nothing', async () => {
    const { call } = guarded({ call: 3, fault: 'not-applied', error: new Error('no more') });
    expect(await call('a')).toBe('a1');
    await expect(call('b')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(await call('b')).toBe('b2');
  });

  it('keeps the transactions of the store', async () => {
    const written: string[] = [];
    const inner = memoryStore<string>({ apply: (items) => void written.push(...items) });
    const call = idempotent(
      async (id: string, { transact }: { transact(items: string[], response: unknown): Promise<void> }) => {
        await transact([id], id);
        return id;
      },
      {
        store: faultyStore(inner, { verb: 'transact', fault: 'applied' }),
        operation: 'call',
        key: (id) => id,
        passHandle: true,
      },
    );
    expect(await call('a')).toBe('a');
    expect(written).toEqual(['a']);
  });

  it('refuses a call that there is not', () =>
    expect(() => faultyStore(memoryStore(), { call: 0, fault: 'silent' })).toThrow(/whole number/));
});
