import middy from '@middy/core';
import type { APIGatewayProxyEventV2, Context, SQSEvent, SQSRecord } from 'aws-lambda';
import {
  type GuardedContext,
  type IdempotencyHandle,
  idempotency,
  idempotent,
  idempotentTransaction,
  type RecordStore,
} from 'middy-idempotency';
import { sqsBodyKey } from 'middy-idempotency/events';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import {
  apiGatewayV2Event,
  checkIdempotency,
  expectIdempotent,
  NotIdempotentError,
  sqsEvent,
} from 'middy-idempotency/testing';
import { describe, expect, it, vi } from 'vitest';

interface Order {
  readonly id: string;
  readonly amount: number;
}

const order: Order = { id: '4711', amount: 10 };
const effects = {
  processor: { charge: async ({ id }: Order, _key?: string) => ({ charge: `ch_${id}` }) },
  mailer: { send: async (_to: string, _key?: string) => undefined },
};
type Ports = typeof effects & { readonly store: RecordStore<unknown> };

/** A function that is guarded, and gets its handle. */
const guarded =
  (work: (ports: Ports, order: Order, handle: IdempotencyHandle<unknown>) => Promise<unknown>) => (ports: Ports) =>
    idempotent((order: Order, handle: IdempotencyHandle<unknown>) => work(ports, order, handle), {
      store: ports.store,
      key: 'id',
      operation: 'pay',
      warnings: false,
      passHandle: true,
    });

const keyed = guarded(({ processor }, order, { deriveKey }) => processor.charge(order, deriveKey('charge')));
const unkeyed = guarded(({ processor }, order) => processor.charge(order));

describe('a handler that is safe to retry has no finding', () => {
  it('with a derived key', async () => {
    const report = await checkIdempotency({ handler: keyed, event: order, effects });
    expect(report.findings).toEqual([]);
    expect(report.places).toEqual(['store.insert', 'processor.charge', 'store.replace']);
    expect(report.runs).toBeGreaterThan(30);
  });

  it('with steps that have derived keys', async () => {
    const handler = guarded(async ({ processor, mailer }, order, { step, deriveKey }) => {
      const charge = await step('charge', () => processor.charge(order, deriveKey('charge')));
      await step('mail', () => mailer.send('customer', deriveKey('mail')));
      return charge;
    });
    expect((await checkIdempotency({ handler, event: order, effects })).findings).toEqual([]);
  });

  it('as a middleware, with its early timeout', async () => {
    const handler = ({ store, processor }: Ports) =>
      middy<Order, unknown, Error, GuardedContext<unknown>>({ timeoutEarlyInMillis: 100 })
        .use(idempotency({ store, key: 'id', operation: 'pay', warnings: false, timeoutEarlyInMillis: 100 }))
        .handler((event, { idempotency: handle }) => processor.charge(event, handle.deriveKey('charge')));
    expect((await checkIdempotency({ handler, event: order, effects })).findings).toEqual([]);
  });

  it('behind an HTTP gateway, also where a duplicate waits', async () => {
    const handler = ({ store, processor }: Ports) =>
      middy<APIGatewayProxyEventV2, unknown, Error, GuardedContext<unknown>>()
        .use(httpIdempotency({ store, operation: 'pay', scope: 'anonymous', onInFlight: { waitMillis: 5000 } }))
        .handler(async ({ body = '' }, { idempotency: handle }) => {
          const charge = await processor.charge(JSON.parse(body), handle.deriveKey('charge'));
          return { statusCode: 201, body: JSON.stringify(charge) };
        });
    const event = apiGatewayV2Event({ headers: { 'idempotency-key': '"k-1"' }, body: order });
    expect((await checkIdempotency({ handler, event, effects })).findings).toEqual([]);
  });

  it('as one transaction', async () => {
    const handler = ({ store }: { store: RecordStore<Order> }) =>
      idempotentTransaction<Order, (context: object, order: Order) => { items: Order[]; response: Order }>(
        (_, order) => ({ items: [order], response: order }),
        { store, key: 'id', operation: 'pay' },
      );
    const report = await checkIdempotency({
      handler,
      event: order,
      effects: () => ({ store: memoryStore<Order>({ apply: () => undefined }) }),
    });
    expect(report).toMatchObject({ findings: [], places: ['store.transact'] });
  });

  it('as the consumer of a batch', async () => {
    const handler = ({ store, processor }: Ports) => {
      const pay = idempotent(
        (record: SQSRecord, _: Context, { deriveKey }: IdempotencyHandle<unknown>) =>
          processor.charge(JSON.parse(record.body), deriveKey('charge')),
        { store, key: sqsBodyKey('id'), operation: 'pay', passHandle: true },
      );
      return async (event: SQSEvent, context: Context) => {
        const batchItemFailures: { itemIdentifier: string }[] = [];
        for (const record of event.Records) {
          await pay(record, context).catch(() => batchItemFailures.push({ itemIdentifier: record.messageId }));
        }
        return { batchItemFailures };
      };
    };
    const event = sqsEvent([
      { id: '1', amount: 1 },
      { id: '2', amount: 2 },
    ]);
    expect((await checkIdempotency({ handler, event, effects })).findings).toEqual([]);
  });

  it('with a guard of another make, as a black box', async () => {
    const handler =
      ({
        processor,
        store,
      }: {
        processor: typeof effects.processor;
        store: {
          put(id: string): Promise<boolean>;
          save(id: string, answer: unknown): Promise<void>;
          get(id: string): Promise<unknown>;
        };
      }) =>
      async (order: Order) => {
        const known = await store.get(order.id);
        if (known !== undefined) return known;
        const answer = await processor.charge(order, order.id);
        await store.save(order.id, answer);
        return answer;
      };
    const ports = () => {
      const answers = new Map<string, unknown>();
      return {
        ...effects,
        store: {
          put: async () => true,
          save: async (id: string, answer: unknown) => void answers.set(id, answer),
          get: async (id: string) => answers.get(id),
        },
      };
    };
    const counts = { 'processor.charge': (_: Order, key: string) => key };
    const report = await checkIdempotency({ handler, event: order, effects: ports, counts, policy: 'at-least-once' });
    expect(report.findings).toEqual([]);
  });
});

describe('an unsafe handler is found out', () => {
  it('by the documented window alone, where an effect has no key', async () => {
    const { findings } = await checkIdempotency({ handler: unkeyed, event: order, effects });
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatchObject({
      problem: 'repeated',
      effect: 'processor.charge',
      place: 'processor.charge',
      fault: 'crash-after',
      advice: expect.stringContaining("deriveKey('charge')"),
      schedule: expect.arrayContaining([
        'the first call (invocation 1), at `processor.charge`: the process dies behind it',
      ]),
    });
  });

  it('where a crash comes between two effects, with the advice to make a step of the first', async () => {
    const handler = guarded(async ({ processor, mailer }, order, { deriveKey }) => {
      await mailer.send('customer');
      return processor.charge(order, deriveKey('charge'));
    });
    const { findings } = await checkIdempotency({ handler, event: order, effects });
    expect(findings.map(({ effect }) => effect)).toEqual(['mailer.send']);
    expect(findings[0]?.seenAt).toContainEqual({ place: 'processor.charge', fault: 'crash-before' });
  });

  it('where it does not execute, and says so', async () => {
    const handler = guarded(async ({ processor }, order, { deriveKey }) => {
      await processor.charge(order, deriveKey('charge')).catch(() => undefined);
      return 'done';
    });
    const { findings } = await checkIdempotency({ handler, event: order, effects });
    expect(findings.map(({ problem, place, fault }) => ({ problem, place, fault }))).toEqual([
      { problem: 'lost', place: 'processor.charge', fault: 'error-not-applied' },
    ]);
  });

  it('by a pair of faults, where one alone does no harm', async () => {
    // Only a third attempt has another key.
    const handler = guarded(async ({ processor }, order, { deriveKey, attempt }) =>
      processor.charge(order, deriveKey(`charge ${attempt > 2 ? attempt : ''}`)),
    );
    const single = await checkIdempotency({ handler, event: order, effects });
    expect(single.findings).toEqual([]);
    const { findings } = await checkIdempotency({ handler, event: order, effects, pairs: 400 });
    expect(findings).toMatchObject([{ problem: 'repeated', effect: 'processor.charge' }]);
  });

  it('by `expectIdempotent`, whose error has the report', async () => {
    const error = await expectIdempotent({ handler: unkeyed, event: order, effects }).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(NotIdempotentError);
    expect(error.message).toContain('`processor.charge` happened twice instead of once');
    expect(error.report.findings).toHaveLength(1);
  });
});

describe('a policy', () => {
  it('of at most once accepts that a request stays unanswered after a crash, and no repetition', async () => {
    const handler = ({ processor, store }: Ports) =>
      idempotent((order: Order) => processor.charge(order), {
        store,
        key: 'id',
        operation: 'pay',
        warnings: false,
        onExpiredLease: 'throw',
        settle: ({ kind }) => (kind === 'threw' ? 'hold' : 'store'),
      });
    expect((await checkIdempotency({ handler, event: order, effects, policy: 'at-most-once' })).findings).toEqual([]);
    const strict = await checkIdempotency({ handler, event: order, effects });
    expect(strict.findings.map(({ problem }) => problem)).toContain('stuck');
  });
});

describe('the simulated time', () => {
  it('is that of the handler alone: its clocks and timers move, and the test runner keeps its own', async () => {
    const before = Date.now();
    const seen: number[] = [];
    const handler = guarded(async ({ processor }, order, { deriveKey }) => {
      const begun = Date.now();
      await new Promise((resolve) => setTimeout(resolve, 5000));
      seen.push(Date.now() - begun, new Date().setMilliseconds(0) - new Date(begun).setMilliseconds(0));
      return processor.charge(order, deriveKey('charge'));
    });
    const timeouts = vi.fn();
    setTimeout(timeouts, 5);
    const { findings } = await checkIdempotency({ handler, event: order, effects });
    expect(findings).toEqual([]);
    expect(seen.every((millis) => millis === 5000)).toBe(true);
    expect(Date.now() - before).toBeLessThan(5000);
    expect(timeouts).toHaveBeenCalledOnce();
  });

  it('is given back to the process', async () => {
    const { setTimeout: timer, Date: date } = globalThis;
    const { now } = Date;
    await checkIdempotency({ handler: keyed, event: order, effects });
    expect([globalThis.setTimeout, globalThis.Date, Date.now]).toEqual([timer, date, now]);
  });

  it('waits for work that is no call of a port, and says that this is slow', { timeout: 120_000 }, async () => {
    // As a file may be read: quickly the first time, and later not.
    let turns = 2;
    const work = async () => {
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      turns = 50;
    };
    const handler = ({ store, processor }: Ports) =>
      middy<Order, unknown, Error, GuardedContext<unknown>>({ timeoutEarlyInMillis: 100 })
        .use(idempotency({ store, key: 'id', operation: 'pay', warnings: false, timeoutEarlyInMillis: 100 }))
        .handler(async (event, { idempotency: handle }) => {
          await work();
          return processor.charge(event, handle.deriveKey('charge'));
        });
    const { findings, notes } = await checkIdempotency({ handler, event: order, effects });
    expect([findings, notes]).toEqual([[], [expect.stringContaining('no call of a port')]]);
  });

  it('is the same for the same seed: so is the report', async () => {
    const check = () => checkIdempotency({ handler: unkeyed, event: order, effects, pairs: 50, seed: 7 });
    expect(JSON.stringify(await check())).toBe(JSON.stringify(await check()));
  });
});

describe('what cannot be checked is refused with a clear message, and without a hang', () => {
  const check = (options: object) => checkIdempotency({ handler: keyed, event: order, effects, ...options } as never);

  it.each([
    [
      'a handler that never ends',
      { handler: () => () => new Promise(() => undefined) },
      /did not end within its timeout/,
    ],
    [
      'a handler that fails',
      {
        handler: () => async () => {
          throw new Error('bad event');
        },
      },
      /must succeed.*bad event/,
    ],
    ['no effect', { handler: () => async () => 1 }, /called no effect/],
    [
      'a port that is not async',
      {
        handler:
          ({ book }: { book: () => number }) =>
          async () =>
            book(),
        effects: { book: () => 1 },
      },
      /Calls that answer no promise/,
    ],
    [
      'effects that keep state between runs',
      { effects: { ...effects, store: memoryStore() } },
      /the effects keep state/,
    ],
    ['no event', { event: undefined }, /`event` is missing/],
  ])('%s', (_, options, message) => expect(check(options)).rejects.toThrow(message));

  it('a handler that ignores its signal and the end of its time is ended as Lambda ends it', async () => {
    const handler = guarded(async ({ processor }, order, { deriveKey }) => {
      const charge = await processor.charge(order, deriveKey('charge'));
      await new Promise((resolve) => setTimeout(resolve, 20_000));
      return charge;
    });
    expect((await checkIdempotency({ handler, event: order, effects })).findings).toEqual([]);
  });

  it('a port that answers no promise is named in a note', async () => {
    const handler = guarded(async ({ processor, ...ports }, order, { deriveKey }) => {
      (ports as unknown as { log: { line(): void } }).log.line();
      return processor.charge(order, deriveKey('charge'));
    });
    const { notes } = await check({ handler, effects: { ...effects, log: { line: () => undefined } } });
    expect(notes).toEqual(['`log.line` answers no promise: no fault was tried at it']);
  });
});
