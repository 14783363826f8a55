import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type {
  APIGatewayProxyEvent,
  APIGatewayProxyEventV2,
  APIGatewayProxyHandler,
  APIGatewayProxyHandlerV2,
  APIGatewayProxyResult,
  APIGatewayProxyStructuredResultV2,
  Context,
  S3Event,
  S3Handler,
  SQSBatchResponse,
  SQSEvent,
  SQSHandler,
} from 'aws-lambda';
import {
  type GuardedContext,
  type IdempotencyContext,
  type IdempotencyHandle,
  type IdempotencyMiddleware,
  idempotency,
  idempotent,
  type Jsonified,
  type Selector,
} from 'middy-idempotency';
import {
  type CodecContext,
  type DynamoDBStoreOptions,
  dynamoDBStore,
  type OutcomeCodec,
  type TransactionItem,
} from 'middy-idempotency/dynamodb';
import * as lite from 'middy-idempotency/dynamodb/lite';
import { httpIdempotency } from 'middy-idempotency/http';
import { jmespath } from 'middy-idempotency/jmespath';
import { memoryStore } from 'middy-idempotency/memory';
import middy6 from 'middy6';
import { describe, expect, expectTypeOf, it } from 'vitest';

const store = memoryStore();
const common = { store, operation: 'types' } as const;

describe('the middleware is typed', () => {
  it('the context of the handler has the handle, with both versions of Middy', () => {
    const chain = middy<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>();
    const chain6 = middy6<APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2>();
    const guard = idempotency({ ...common, key: 'headers."idempotency-key"' });
    chain.use(guard).handler(async (event, context) => {
      expectTypeOf(event).toExtend<APIGatewayProxyEventV2>();
      expectTypeOf(event.rawPath).toEqualTypeOf<string>();
      expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle | undefined>();
      expectTypeOf(context.getRemainingTimeInMillis).toEqualTypeOf<Context['getRemainingTimeInMillis']>();
      return { statusCode: 200 };
    });
    chain6.use(guard).handler(async (event, context) => {
      expectTypeOf(event.rawPath).toEqualTypeOf<string>();
      expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle | undefined>();
      return { statusCode: 200 };
    });
  });

  it('with GuardedContext, the handle is certainly there', () => {
    const { store: memory, ...rest } = { ...common, store: memoryStore<{ amount: number }>(), key: 'id' };
    middy<SQSEvent, void, Error, GuardedContext>()
      .use(idempotency({ ...rest, store }))
      .handler(async (_event, context) => {
        expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle>();
      });
    middy<SQSEvent, void, Error, GuardedContext<{ amount: number }>>()
      .use(idempotency({ ...rest, store: memory }))
      .handler(async (_event, { idempotency: handle }) => {
        await handle.transact([{ amount: 1 }], 'done');
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

  it('a selector is a path, an expression of jmespath() or a function', () => {
    const expression = jmespath('[id, tenant || account]');
    expectTypeOf(expression).toExtend<Selector<readonly [event: SQSEvent]>>();
    expectTypeOf<string>().toExtend<Selector>();
    expectTypeOf(idempotency({ ...common, key: expression, scope: expression })).toExtend<
      IdempotencyMiddleware<unknown, Context>
    >();
    expectTypeOf(idempotent((order: { id: string }) => order.id, { ...common, key: expression })).toEqualTypeOf<
      (order: { id: string }) => Promise<string>
    >();
    httpIdempotency<SQSEvent>({ ...common, scope: expression, fingerprint: expression });
    // @ts-expect-error an expression of another library is none
    expectTypeOf({ search: () => 1 }).toExtend<Selector>();
    // @ts-expect-error jmespath takes a text
    expectTypeOf(jmespath).toBeCallableWith(() => 'id');
  });

  it('all selectors see the same event type', () => {
    idempotency<SQSEvent>({
      ...common,
      key: (event) => expectTypeOf(event).toEqualTypeOf<SQSEvent>(),
      scope: (event) => expectTypeOf(event).toEqualTypeOf<SQSEvent>(),
      fingerprint: (event) => expectTypeOf(event).toEqualTypeOf<SQSEvent>(),
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

describe('a guarded handler is a handler of Lambda', () => {
  type Result = APIGatewayProxyStructuredResultV2;

  it('by its type, with httpIdempotency, and takes the context of `aws-lambda`', () => {
    const chain = middy<APIGatewayProxyEventV2, Result>().use(httpIdempotency({ store }));
    const guarded = chain.handler(async (event, { idempotency: handle }) => {
      expectTypeOf(handle).toEqualTypeOf<IdempotencyHandle | undefined>();
      return { statusCode: 200, body: event.rawPath };
    });
    expectTypeOf(guarded).toExtend<APIGatewayProxyHandlerV2>();
    // Middy infers type arguments of \`handler\` from the type of the variable, and then refuses its parameter: name them.
    const declared: APIGatewayProxyHandlerV2 = chain.handler<APIGatewayProxyEventV2, Result>(
      async (event, { idempotency: handle }) => ({ statusCode: 200, body: handle?.deriveKey(event.rawPath) ?? '' }),
    );
    const inFront: APIGatewayProxyHandlerV2 = middy(
      async (event: APIGatewayProxyEventV2, { idempotency: handle }: IdempotencyContext) => ({
        statusCode: 200,
        body: handle?.deriveKey(event.rawPath) ?? '',
      }),
    ).use(httpIdempotency({ store }));
    const six: APIGatewayProxyHandlerV2 = middy6<APIGatewayProxyEventV2, Result>()
      .use(httpIdempotency({ store }))
      .handler<APIGatewayProxyEventV2, Result>(async (event) => ({ statusCode: 200, body: event.rawPath }));
    const rest: APIGatewayProxyHandler = middy<APIGatewayProxyEvent, APIGatewayProxyResult>()
      .use(httpIdempotency({ store }))
      .handler<APIGatewayProxyEvent, APIGatewayProxyResult>(async (event) => ({ statusCode: 200, body: event.path }));
    expectTypeOf(guarded).toBeCallableWith({} as APIGatewayProxyEventV2, {} as Context);
    expectTypeOf([declared, inFront, six, rest]).toBeArray();
  });

  it('by its type, with idempotency', () => {
    const guard = idempotency({ ...common, key: 'Records[0].messageId' });
    const guarded = middy<SQSEvent, SQSBatchResponse>()
      .use(guard)
      .handler(async (event, context) => {
        context.idempotency?.deriveKey('charge');
        return { batchItemFailures: event.Records.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      });
    expectTypeOf(guarded).toExtend<SQSHandler>();
    expectTypeOf(middy<S3Event, void>().use(guard)).toExtend<S3Handler>();
    expectTypeOf(guarded).toBeCallableWith({} as SQSEvent, {} as Context);
  });

  it('by its type, made by the function wrapper', () => {
    const handle = async (event: APIGatewayProxyEventV2, _context: Context) => ({
      statusCode: 200,
      body: event.rawPath,
    });
    const http: APIGatewayProxyHandlerV2 = idempotent(handle, { ...common, key: 'body' });
    const withHandle: APIGatewayProxyHandlerV2 = idempotent(
      async (event: APIGatewayProxyEventV2, _context: Context, { deriveKey }: IdempotencyHandle) => ({
        statusCode: 200,
        body: deriveKey(event.rawPath),
      }),
      { ...common, key: 'body', passHandle: true },
    );
    const sqs: SQSHandler = idempotent(async (_event: SQSEvent) => undefined, {
      ...common,
      key: 'Records[0].messageId',
    });
    expectTypeOf([http, withHandle, sqs]).toBeArray();
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

it('a function that takes the handle cannot be executed unguarded', () => {
  const charge = async (order: { id: string }, handle: IdempotencyHandle) => handle.deriveKey(order.id);
  const options = { ...common, key: 'id', passHandle: true } as const;
  const guard = () => idempotent(charge, { ...options, onMissingKey: 'throw' });
  // @ts-expect-error there would be no handle
  const unguarded = () => idempotent(charge, { ...options, onMissingKey: 'run' });
  const chosen = process.env['STAGE'] === 'test' ? 'run' : 'throw';
  // @ts-expect-error there might be none
  const uncertain = () => idempotent(charge, { ...options, onMissingKey: chosen });
  expectTypeOf([guard, unguarded, uncertain]).toBeArray();
});

describe('transactions are typed by the store', () => {
  const dynamo = { ...common, store: dynamoDBStore({ tableName: 'any' }), key: 'id' } as const;
  const put: TransactionItem = { Put: { TableName: 'orders', Item: { id: '1' } } };

  it('in Middy', () => {
    middy()
      .use(idempotency(dynamo))
      .handler(async (_event, context) => {
        expectTypeOf(context.idempotency).toEqualTypeOf<IdempotencyHandle<TransactionItem> | undefined>();
        await context.idempotency?.transact([put], 'done');
        // @ts-expect-error no such write
        await context.idempotency?.transact([{ Insert: {} }], 'done');
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

  it('in memory, where `apply` takes what `transact` takes', () => {
    interface Payment {
      readonly amount: number;
    }
    const memory = memoryStore({ apply: (items: readonly Payment[]) => void items });
    const options = { ...common, store: memory, key: 'id', passHandle: true } as const;
    idempotent(async (_order: { id: string }, { transact }: IdempotencyHandle<Payment>) => {
      await transact([{ amount: 10 }], 'done');
      // @ts-expect-error no such write
      await transact([{ sum: 10 }], 'done');
    }, options);
  });

  it('as lib-dynamodb types them, with the SDK and without it', () => {
    type SdkItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];
    expectTypeOf<SdkItem>().toExtend<TransactionItem>();
    expectTypeOf<TransactionItem>().toExtend<lite.TransactionItem>();
    expectTypeOf<lite.TransactionItem>().toExtend<TransactionItem>();
    const writes: readonly TransactionItem[] = [];
    expectTypeOf(TransactWriteCommand).toBeConstructibleWith({ TransactItems: [...writes] });
  });

  it('and a user changes one import: the options are the same, but for the client', () => {
    expectTypeOf(lite.dynamoDBStore({ tableName: 'any' })).toEqualTypeOf(dynamoDBStore({ tableName: 'any' }));
    expectTypeOf<Omit<DynamoDBStoreOptions, 'client'>>().toExtend<lite.DynamoDBStoreOptions>();
    type SdkCredentials = NonNullable<DynamoDBClientConfig['credentials']>;
    expectTypeOf<SdkCredentials>().toExtend<NonNullable<lite.DynamoDBStoreOptions['credentials']>>();
    // @ts-expect-error it needs no client
    const withClient = () => lite.dynamoDBStore({ tableName: 'any', client: {} });
    expect(withClient).toThrow('client');
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

describe('Jsonified is what JSON leaves of a type', () => {
  it('of values', () => {
    expectTypeOf<Jsonified<Date>>().toEqualTypeOf<string>();
    expectTypeOf<Jsonified<undefined>>().toEqualTypeOf<undefined>();
    expectTypeOf<Jsonified<void>>().toEqualTypeOf<void>();
    expectTypeOf<Jsonified<'a' | 1 | null>>().toEqualTypeOf<'a' | 1 | null>();
    expectTypeOf<Jsonified<unknown>>().toEqualTypeOf<unknown>();
    // biome-ignore lint/suspicious/noExplicitAny: it stays what it is
    expectTypeOf<Jsonified<any>>().toBeAny();
  });

  it('of lists, where functions, symbols and nothing are null', () => {
    expectTypeOf<Jsonified<Date[]>>().toEqualTypeOf<string[]>();
    expectTypeOf<Jsonified<readonly [Date, number]>>().toEqualTypeOf<readonly [string, number]>();
    expectTypeOf<Jsonified<(number | undefined)[]>>().toEqualTypeOf<(number | null)[]>();
    expectTypeOf<Jsonified<[number, () => void, symbol]>>().toEqualTypeOf<[number, null, null]>();
    expectTypeOf<Jsonified<(Date | (() => void))[]>>().toEqualTypeOf<(string | null)[]>();
    expectTypeOf<Jsonified<[typeof Date]>>().toEqualTypeOf<[null]>();
    expectTypeOf<Jsonified<unknown[]>>().toEqualTypeOf<unknown[]>();
  });

  it('of objects, where they are not there', () => {
    expectTypeOf<Jsonified<{ a?: Date; f: () => void }>>().toEqualTypeOf<{ a?: string }>();
    expectTypeOf<Jsonified<{ a: 1; f?: () => void; s: symbol; C: typeof Date }>>().toEqualTypeOf<{ a: 1 }>();
    expectTypeOf<Jsonified<{ f: Date | (() => void) }>>().toEqualTypeOf<{ f: string | undefined }>();
    expectTypeOf<Jsonified<{ a: 1; [Symbol.toStringTag]: string }>>().toEqualTypeOf<{ a: 1 }>();
    expectTypeOf<Jsonified<Record<string, Date>>>().toEqualTypeOf<Record<string, string>>();
    expectTypeOf<Jsonified<{ readonly a: undefined }>>().toEqualTypeOf<{ readonly a: undefined }>();
  });

  it('of what speaks for itself', () => {
    expectTypeOf<Jsonified<{ toJSON(): { at: Date } }>>().toEqualTypeOf<{ at: string }>();
    expectTypeOf<Jsonified<{ toJSON(key: string): 1 }>>().toEqualTypeOf<1>();
    expectTypeOf<Jsonified<URL>>().toEqualTypeOf<string>();
    expectTypeOf<Jsonified<Buffer>>().toEqualTypeOf<{ type: 'Buffer'; data: number[] }>();
  });

  it('of what JSON refuses: there is no such value', () => {
    expectTypeOf<Jsonified<bigint>>().toEqualTypeOf<never>();
    expectTypeOf<Jsonified<{ a: bigint }>>().toEqualTypeOf<{ a: never }>();
    expectTypeOf<Jsonified<bigint[]>>().toEqualTypeOf<never[]>();
  });

  it('of what keeps its contents elsewhere: an empty object', () => {
    type Empty = Record<string, never>;
    expectTypeOf<Jsonified<Map<string, number>>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<Set<string>>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<{ error: Error }>>().toEqualTypeOf<{ error: Empty }>();
    expectTypeOf<Jsonified<RegExp>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<Promise<number>>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<WeakMap<object, number>>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<WeakSet<object>>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<ArrayBuffer>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<SharedArrayBuffer>>().toEqualTypeOf<Empty>();
    expectTypeOf<Jsonified<DataView>>().toEqualTypeOf<Empty>();
  });

  it('of typed arrays: an object of numbers, with no length', () => {
    expectTypeOf<Jsonified<Uint8Array>>().toEqualTypeOf<Record<number, number>>();
    expectTypeOf<Jsonified<Float64Array>>().toEqualTypeOf<Record<number, number>>();
    expectTypeOf<Jsonified<BigInt64Array>>().toEqualTypeOf<Record<number, never>>();
  });
});

it('and JSON does so', () => {
  const json = (value: unknown) => JSON.parse(JSON.stringify(value));
  const empty = [
    /x/g,
    new Map([[1, 2]]),
    new Set([1]),
    new Error('x'),
    new ArrayBuffer(2),
    new DataView(new ArrayBuffer(2)),
  ];
  expect(empty.map(json)).toEqual(empty.map(() => ({})));
  expect([Promise.resolve(1), new WeakMap(), new WeakSet(), new SharedArrayBuffer(1)].map(json)).toEqual([
    {},
    {},
    {},
    {},
  ]);
  expect(json([1, () => 1, Symbol('s'), undefined, Date])).toEqual([1, null, null, null, null]);
  expect(json({ a: 1, f: () => 1, s: Symbol('s'), [Symbol.toStringTag]: 'x' })).toEqual({ a: 1 });
  expect(json(new Uint8Array([7, 8]))).toEqual({ 0: 7, 1: 8 });
  expect(json(Buffer.from([7]))).toEqual({ type: 'Buffer', data: [7] });
});
