import middy from '@middy/core';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context, SQSEvent } from 'aws-lambda';
import {
  type IdempotencyHandle,
  type IdempotencyMiddleware,
  idempotency,
  idempotent,
  type Jsonified,
} from 'middy-idempotency';
import {
  type CodecContext,
  type DynamoDBStoreOptions,
  dynamoDBStore,
  type OutcomeCodec,
  type TransactionItem,
} from 'middy-idempotency/dynamodb';
import { httpIdempotency } from 'middy-idempotency/http';
import { memoryStore } from 'middy-idempotency/memory';
import middy6 from 'middy6';
import { describe, expectTypeOf, it } from 'vitest';

const store = memoryStore();
const common = { store, operation: 'types' } as const;

describe('the middleware is typed', () => {
  it('the context of the handler has the handle, and the event keeps its type', () => {
    middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
      .use(idempotency({ ...common, key: 'headers."idempotency-key"' }))
      .handler(async (event, context) => {
        expectTypeOf(event).toExtend<APIGatewayProxyEventV2>();
        expectTypeOf(event.rawPath).toEqualTypeOf<string>();
        expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle>();
        expectTypeOf(context.getRemainingTimeInMillis).toEqualTypeOf<Context['getRemainingTimeInMillis']>();
        return { statusCode: 200 };
      });
  });

  it('with @middy/core 6, too', () => {
    middy6<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>()
      .use(idempotency({ ...common, key: 'headers."idempotency-key"' }))
      .handler(async (event, context) => {
        expectTypeOf(event.rawPath).toEqualTypeOf<string>();
        expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle>();
        return { statusCode: 200 };
      });
  });

  it('a key function gives the event its type', () => {
    const middleware = idempotency({ ...common, key: (event: SQSEvent) => event.Records[0]?.messageId });
    expectTypeOf(middleware).toExtend<IdempotencyMiddleware<SQSEvent, Context>>();
    middy()
      .use(middleware)
      .handler(async (event) => {
        expectTypeOf(event.Records).toEqualTypeOf<SQSEvent['Records']>();
      });
  });

  it('all selectors see the same event type', () => {
    idempotency<SQSEvent>({
      ...common,
      key: (event) => expectTypeOf(event).toEqualTypeOf<SQSEvent>(),
      scope: (event) => expectTypeOf(event).toEqualTypeOf<SQSEvent>(),
      fingerprint: (event) => expectTypeOf(event).toEqualTypeOf<SQSEvent>(),
    });
  });

  it('where unguarded executions are allowed, the handle may be missing', () => {
    middy()
      .use(idempotency({ ...common, key: 'id', onMissingKey: 'run' }))
      .handler(async (_event, context) => {
        expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle | undefined>();
      });
  });

  it('a wrong option does not compile', () => {
    // @ts-expect-error retention is given in seconds
    const misspelt = () => idempotency({ ...common, key: 'id', retentionMillis: 1 });
    // @ts-expect-error there is no such policy
    const unknown = () => idempotency({ ...common, key: 'id', settle: () => 'forget' });
    // @ts-expect-error a key is required
    const keyless = () => idempotency({ ...common });
    // @ts-expect-error a cache without bounds is none
    const boundless = () => idempotency({ ...common, key: 'id', cache: true });
    expectTypeOf([misspelt, unknown, keyless, boundless]).toBeArray();
  });
});

describe('a guarded function is typed', () => {
  interface Order {
    readonly id: string;
    readonly placedAt: Date;
  }

  it('keeps its arguments, and its key function sees them', () => {
    const charge = async (order: Order, amount: number) => ({ order: order.id, amount });
    const chargeOnce = idempotent(charge, {
      ...common,
      key: (order, amount) => {
        expectTypeOf(order).toEqualTypeOf<Order>();
        expectTypeOf(amount).toEqualTypeOf<number>();
        return order.id;
      },
    });
    expectTypeOf(chargeOnce).parameters.toEqualTypeOf<[order: Order, amount: number]>();
    expectTypeOf(chargeOnce).returns.resolves.toEqualTypeOf<{ order: string; amount: number }>();
  });

  it('returns what a round through JSON leaves', () => {
    const place = idempotent(async (order: Order) => order, { ...common, key: (order) => order.id });
    expectTypeOf(place).returns.resolves.toEqualTypeOf<{ readonly id: string; readonly placedAt: string }>();
  });

  it('takes the handle behind its arguments when it asks for it, and its callers do not give it', () => {
    const charge = async (order: Order, handle: IdempotencyHandle) => handle.deriveKey(order.id);
    const chargeOnce = idempotent(charge, { ...common, key: (order) => order.id, passHandle: true });
    expectTypeOf(chargeOnce).parameters.toEqualTypeOf<[order: Order]>();
    expectTypeOf(chargeOnce).returns.resolves.toEqualTypeOf<string>();
  });
});

describe('transactions are typed by the store', () => {
  const dynamo = { ...common, store: dynamoDBStore({ tableName: 'any' }), key: 'id' } as const;
  const put: TransactionItem = { Put: { TableName: 'orders', Item: { id: '1' } } };

  it('in Middy', () => {
    middy()
      .use(idempotency(dynamo))
      .handler(async (_event, context) => {
        expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle<TransactionItem>>();
        await context.idempotency.transact([put], 'done');
        // @ts-expect-error no such write
        await context.idempotency.transact([{ Insert: {} }], 'done');
      });
    middy<APIGatewayProxyEventV2>()
      .use(httpIdempotency<APIGatewayProxyEventV2, TransactionItem>({ store: dynamo.store }))
      .handler(async (_event, context) => {
        await context.idempotency?.transact([put], { statusCode: 200 });
        return { statusCode: 200 };
      });
  });

  it('in a guarded function, which may leave them alone', () => {
    const options = { ...dynamo, key: (order: { id: string }) => order.id, passHandle: true } as const;
    idempotent(async (order: { id: string }, handle: IdempotencyHandle<TransactionItem>) => {
      await handle.transact([put], order);
    }, options);
    idempotent(async (_order: { id: string }, handle: IdempotencyHandle) => handle.deriveKey('charge'), options);
  });

  it('and there are none where the store has none', () => {
    const options = { ...common, key: 'id', passHandle: true } as const;
    idempotent(async (_order: { id: string }, handle: IdempotencyHandle) => {
      // @ts-expect-error the memory store has no transactions
      await handle.transact([put], 'done');
    }, options);
  });
});

it('a step has the type that JSON leaves of its result', () => {
  const steps = async ({ step, complete, signal }: IdempotencyHandle) => {
    expectTypeOf(await step('one', async () => new Date())).toEqualTypeOf<string>();
    expectTypeOf(await step('two', () => undefined)).toEqualTypeOf<undefined>();
    expectTypeOf(complete({ statusCode: 201 })).toEqualTypeOf<Promise<void>>();
    expectTypeOf(signal).toEqualTypeOf<AbortSignal>();
    // @ts-expect-error a step has a name
    await step(async () => 1);
  };
  expectTypeOf(steps).toBeFunction();
});

it('a codec may answer at once or later, with bytes, and is told what they belong to', () => {
  const sync: OutcomeCodec = { name: 'sync', encode: (bytes) => bytes, decode: (bytes) => bytes };
  const async: OutcomeCodec = {
    name: 'async',
    encode: async (bytes, context) => {
      expectTypeOf(context).toEqualTypeOf<CodecContext>();
      return Buffer.from(bytes);
    },
    decode: async (bytes) => bytes,
  };
  // @ts-expect-error text is no bytes
  const text: OutcomeCodec = { ...sync, encode: () => 'text' };
  expectTypeOf([sync, async, text]).toExtend<readonly DynamoDBStoreOptions['codec'][]>();
});

it('Jsonified is what JSON leaves of a type', () => {
  expectTypeOf<Jsonified<Date>>().toEqualTypeOf<string>();
  expectTypeOf<Jsonified<undefined>>().toEqualTypeOf<undefined>();
  expectTypeOf<Jsonified<void>>().toEqualTypeOf<void>();
  expectTypeOf<Jsonified<'a' | 1 | null>>().toEqualTypeOf<'a' | 1 | null>();
  expectTypeOf<Jsonified<Date[]>>().toEqualTypeOf<string[]>();
  expectTypeOf<Jsonified<readonly [Date, number]>>().toEqualTypeOf<readonly [string, number]>();
  expectTypeOf<Jsonified<{ a?: Date; f: () => void }>>().toEqualTypeOf<{ a?: string }>();
  expectTypeOf<Jsonified<bigint>>().toEqualTypeOf<never>();
  expectTypeOf<Jsonified<(number | undefined)[]>>().toEqualTypeOf<(number | null)[]>();
  expectTypeOf<Jsonified<Map<string, number>>>().toEqualTypeOf<Record<string, never>>();
  expectTypeOf<Jsonified<{ error: Error }>>().toEqualTypeOf<{ error: Record<string, never> }>();
  expectTypeOf<Jsonified<unknown>>().toEqualTypeOf<unknown>();
});
