import { AsyncLocalStorage } from 'node:async_hooks';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import middy7 from '@middy/core';
import middy6 from 'middy6';
import type { TransactionResult, WriteResult } from '../../src/core/record/store.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { createIdempotent } from '../../src/function.ts';
import type { IdempotencyHandle, IdempotencyOptions, RecordStore } from '../../src/index.ts';
import { createIdempotency } from '../../src/middy/idempotency.ts';
import { systemRuntime } from '../../src/runtime.ts';
import type { TransactionItem } from '../../src/stores/dynamodb.ts';
import type { TrueTime } from './clock.ts';
import { Declined, execute, type Work } from './handlers.ts';
import type { Journal } from './journal.ts';
import { type Recorded, seenOf } from './recorded.ts';
import { type StoreName, storeOf } from './store.ts';
import { CLOCK_SKEW_MILLIS, KINDS, type Kind, keyOfCall, LEASES_MILLIS } from './terms.ts';

/** What the key and the payload are read from, and what the handler needs to know. */
export type Order = Work;

type Handle = IdempotencyHandle<TransactionItem>;

export type Way = 'function' | 'renewing function' | 'waiting function' | 'middy 7' | 'waiting middy 7' | 'middy 6';
export const WAYS: readonly Way[] = [
  'function',
  'renewing function',
  'waiting function',
  'middy 7',
  'waiting middy 7',
  'middy 6',
];

const WAIT_MILLIS = 1500;

/** How long a request that comes this way may wait for the outcome of another one; 0 where it does not. */
export function waitMillisOf(way: Way): number {
  return way.startsWith('waiting') ? WAIT_MILLIS : 0;
}

export interface GuardsSetup {
  readonly store: StoreName;
  /** `undefined` without the SDK. */
  readonly client: DynamoDBClient | undefined;
  readonly endpoint: string;
  readonly tableName: string;
  readonly time: TrueTime;
  /** How far this process's clock is from the true time. */
  readonly offsetMillis: number;
  readonly journal: Journal;
}

/** A verb of the store that takes longer may be given up by the guard at the end of its time. */
const SLOW_MILLIS = 200;

/** The same work guarded in every way, under one operation for each kind of key: all ways share the records. */
export function createGuards({ time, offsetMillis, journal, ...setup }: GuardsSetup) {
  // The proxy of DynamoDB sees what was found. Else who has asked writes it down.
  const tellsFound = setup.store === 'postgres' || setup.store === 'redis';
  const calls = new AsyncLocalStorage<string>();
  const runtime: Runtime = {
    ...systemRuntime,
    now: () => Math.floor(time.now() + offsetMillis),
    // The owner of a record tells whose it is: one call makes one claim.
    randomToken: currentCall,
  };
  const store = watched(storeOf(setup, currentCall));
  const guarded = Object.fromEntries(
    (Object.keys(KINDS) as Kind[]).map((kind) => [
      kind,
      {
        function: asFunction(kind, 'function'),
        'renewing function': asFunction(kind, 'renewing function'),
        'waiting function': asFunction(kind, 'waiting function'),
        'middy 7': asLambda(kind, 'middy 7', middy7),
        'waiting middy 7': asLambda(kind, 'waiting middy 7', middy7),
        'middy 6': asLambda(kind, 'middy 6', middy6 as never),
      },
    ]),
  ) as Record<Kind, Record<Way, (order: Order) => Promise<unknown>>>;

  return {
    run: (kind: Kind, way: Way, order: Order): Promise<unknown> =>
      calls.run(order.call, () => guarded[kind][way](order)),
  };

  function asFunction(kind: Kind, way: Way) {
    const guard = (leaseMillis: number) => {
      const all = { ...options(kind, way), leaseMillis, passHandle: true, renewLease: way === 'renewing function' };
      return createIdempotent(work as never, all as never, runtime) as unknown as (order: Order) => Promise<unknown>;
    };
    const byLease = new Map<number, ReturnType<typeof guard>>(
      LEASES_MILLIS.map((leaseMillis) => [leaseMillis, guard(leaseMillis)]),
    );
    return (order: Order) => {
      const run = byLease.get(order.leaseMillis);
      if (run === undefined) throw new Error(`no guard has a lease of ${order.leaseMillis} ms`);
      return run(order);
    };
  }

  /** In Lambda the lease is the remaining time. */
  function asLambda(kind: Kind, way: Way, middy: typeof middy7) {
    const chain = middy().use(createIdempotency(options(kind, way) as never, runtime) as middy7.MiddlewareObj);
    const lambda = chain.handler(((order: Order, context: { idempotency: Handle }) =>
      work(order, context.idempotency)) as never);
    return (order: Order) => {
      const deadline = runtime.now() + order.leaseMillis;
      const context = { getRemainingTimeInMillis: () => Math.max(0, deadline - runtime.now()) };
      return lambda(order as never, context as never) as Promise<unknown>;
    };
  }

  function options(kind: Kind, way: Way): IdempotencyOptions<Order, TransactionItem> {
    const waitMillis = waitMillisOf(way);
    return {
      store,
      operation: kind,
      key: 'key',
      fingerprint: 'payload',
      clockSkewMillis: CLOCK_SKEW_MILLIS,
      ...KINDS[kind],
      ...(waitMillis > 0 && { onInFlight: { waitMillis } }),
      settle: (outcome) => (outcome.kind === 'returned' || outcome.error instanceof Declined ? 'store' : 'release'),
      warnings: false,
      onEvent: ({ type, ...event }) => {
        const call = currentCall();
        const at = time.now();
        journal({ type: 'reported', at, call, report: type });
        if (type === 'held' && 'reason' in event && event.reason === 'timeout') journal({ type: 'timedOut', at, call });
      },
    };
  }

  function work(order: Order, handle: Handle): Promise<object> {
    const { call } = order;
    return execute(order, handle, (event) => journal({ ...event, at: time.now(), call }));
  }

  function currentCall(): string {
    const call = calls.getStore();
    if (call === undefined) throw new Error('a guard works for no call');
    return call;
  }

  /** Writes down what fails on the way, or takes so long that a guard may give it up. */
  function watched(inner: RecordStore<TransactionItem>): RecordStore<TransactionItem> {
    const watch = async <T>(answer: Promise<T>): Promise<T> => {
      const call = currentCall();
      const fail = () => journal({ type: 'failed', at: time.now(), call, retryable: true });
      const slow = setTimeout(fail, SLOW_MILLIS);
      try {
        return await answer;
      } catch (error) {
        fail();
        throw error;
      } finally {
        clearTimeout(slow);
      }
    };
    const { transact } = inner;
    const found = (type: 'conflicted' | 'looked', record: unknown) => {
      const call = currentCall();
      const seen = seenOf(record as Recorded | undefined);
      if (tellsFound) journal({ type, at: time.now(), call, key: keyOfCall(call), found: seen });
    };
    const told = async <T extends WriteResult | TransactionResult>(answer: Promise<T>): Promise<T> => {
      const result = await watch(answer);
      if ('existing' in result) found('conflicted', result.existing);
      return result;
    };
    return {
      ...inner,
      insert: (record) => told(inner.insert(record)),
      replace: (record, expected) => told(inner.replace(record, expected)),
      remove: (id, expected) => told(inner.remove(id, expected)),
      async read(id) {
        const record = await watch(inner.read(id));
        found('looked', record);
        return record;
      },
      ...(transact && {
        transact: (record, expected, items, token) => told(transact(record, expected, items, token)),
      }),
    };
  }
}
