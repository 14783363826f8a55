import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import middy7 from '@middy/core';
import type { Context } from 'aws-lambda';
import type { GuardedContext, IdempotencyEvent, IdempotencyOptions, RecordStore } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import middy6 from 'middy6';
import { beforeEach } from 'vitest';
import type { Runtime } from '../../src/core/runtime.ts';
import { createIdempotent } from '../../src/function.ts';
import { createIdempotency } from '../../src/middy/idempotency.ts';
import { systemRuntime } from '../../src/runtime.ts';
import { useTable } from './table.ts';

/** Both majors that are supported. */
export const MIDDY_VERSIONS = [
  ['@middy/core 7', middy7],
  ['@middy/core 6', middy6 as unknown as typeof middy7],
] as const;

/** Far in the future, so that the TTL of DynamoDB Local never deletes a record of a test. */
const FAKE_EPOCH = Date.UTC(2040, 0, 1);

/** A clock that stands still until it is told to move, one for each host in the test. */
export class TestClock implements Runtime {
  #elapsed = 0;
  #stepped = 0;
  now = () => FAKE_EPOCH + this.#elapsed + this.#stepped;
  monotonic = () => this.#elapsed;
  randomToken = () => randomUUID();
  random = () => 0.5;
  delay = systemRuntime.delay;
  advance(millis: number): void {
    this.#elapsed += millis;
  }
  /** The wall clock is set to another time: nothing has elapsed. */
  step(millis: number): void {
    this.#stepped += millis;
  }
}

/**
 * Virtual time: whenever everything waits, the clock jumps to the timer that is due next. For stores in memory, which
 * answer before it does.
 */
export class VirtualClock extends TestClock {
  readonly #timers = new Set<{ readonly due: number; readonly fire: () => void }>();
  /** How many timers nobody has cancelled or seen the end of. */
  get pending(): number {
    return this.#timers.size;
  }
  override delay = (millis: number) => {
    const { promise: elapsed, resolve: fire } = deferred();
    const timer = { due: this.monotonic() + millis, fire };
    this.#timers.add(timer);
    setImmediate(() => this.#next());
    const cancel = () => {
      this.#timers.delete(timer);
      fire();
    };
    return { elapsed, cancel };
  };
  #next(): void {
    const [timer] = [...this.#timers].sort((a, b) => a.due - b.due);
    if (timer === undefined) return;
    this.#timers.delete(timer);
    this.advance(Math.max(0, timer.due - this.monotonic()));
    timer.fire();
  }
}

/** A Lambda context whose remaining time counts down on the given clock. */
export function lambdaContext(
  clock: Pick<Runtime, 'now'> = systemRuntime,
  { remainingMillis = 30_000 }: { remainingMillis?: number } = {},
): Context {
  const deadline = clock.now() + remainingMillis;
  return {
    functionName: 'payments',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:eu-central-1:123456789012:function:payments',
    memoryLimitInMB: '128',
    awsRequestId: randomUUID(),
    logGroupName: '/aws/lambda/payments',
    logStreamName: 'stream',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - clock.now()),
    done: () => undefined,
    fail: () => undefined,
    succeed: () => undefined,
  };
}

export interface Order {
  readonly id: string | number | boolean | null;
  readonly amount?: number;
}

export const newOrder = (): Order & { id: string } => ({ id: randomUUID(), amount: 10 });

type Handler = (event: Order, context: GuardedContext, options: { signal: AbortSignal }) => unknown;
type Middleware = Parameters<ReturnType<typeof middy7>['use']>[0];

export interface GuardedSetup {
  readonly middy?: typeof middy7;
  readonly handler: Handler;
  readonly options?: Partial<IdempotencyOptions<Order>>;
  readonly plugin?: Parameters<typeof middy7>[1];
  /** Middlewares behind the idempotency middleware. */
  readonly behind?: readonly Middleware[];
  /** Middlewares in front of it. */
  readonly inFront?: readonly Middleware[];
  readonly clock?: Runtime;
}

/** Runs it as another process would: a handler of a test is no part of the execution that calls it. */
export const elsewhere = AsyncLocalStorage.snapshot();

/** What guards have reported since the test has begun. */
export function useEvents(): IdempotencyEvent[] {
  const events: IdempotencyEvent[] = [];
  beforeEach(() => {
    events.length = 0;
  });
  return events;
}

/** The things that most tests need: a table, a store, a clock, the events, and guarded handlers. */
export function useGuards(makeStore?: () => RecordStore) {
  const table = useTable();
  const clock = new TestClock();
  const events = useEvents();
  let made: RecordStore | undefined;
  const store = () => (made ??= makeStore?.() ?? dynamoDBStore(table));
  const common = () => ({
    store: store(),
    key: 'id',
    operation: 'test',
    onEvent: (event: IdempotencyEvent) => void events.push(event),
    warnings: false,
  });

  return {
    table,
    clock,
    events,
    get store() {
      return store();
    },
    eventTypes: () => events.map(({ type }) => type),
    /** Another guard, for a chain of several. */
    middleware: (options: object = {}) => createIdempotency({ ...common(), ...options } as never, clock),
    /** A Lambda function, as Lambda would invoke it. */
    guarded(setup: GuardedSetup) {
      const { middy = middy7, plugin, inFront = [], behind = [] } = setup;
      const middleware = createIdempotency({ ...common(), ...setup.options } as never, setup.clock ?? clock);
      const chain = middy(plugin as never);
      for (const one of [...inFront, middleware as Middleware, ...behind]) chain.use(one);
      const lambda = chain.handler(setup.handler as never);
      return (event: unknown, context: Context = lambdaContext(setup.clock ?? clock)): Promise<unknown> => {
        const running = elsewhere(() => lambda(event as never, context as never)) as Promise<unknown>;
        // An invocation that a test has let crash is timed out by Middy long after the test.
        running.catch(() => undefined);
        return running;
      };
    },
    /** A guarded function. */
    idempotent<Fn extends (...args: never) => unknown>(fn: Fn, options: object = {}, runtime: Runtime = clock) {
      return createIdempotent(fn, { ...common(), ...options } as never, runtime) as unknown as (
        ...args: Parameters<Fn>
      ) => Promise<unknown>;
    },
  };
}

/** A promise that the test settles. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** What was thrown, or `undefined`. */
export async function thrownBy(running: Promise<unknown>): Promise<unknown> {
  try {
    await running;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** A handler that tells that it has started, and never ends: its process has crashed. */
export function crashing(onStart: (context: GuardedContext) => void = () => undefined) {
  return (_event: unknown, context: GuardedContext): Promise<never> => {
    onStart(context);
    return new Promise(() => undefined);
  };
}
