import middy from '@middy/core';
import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { ProtocolOptions } from '../../src/core/options.ts';
import type { RecordStore } from '../../src/core/record/store.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { createIdempotent } from '../../src/function.ts';
import { createIdempotency } from '../../src/middy/idempotency.ts';
import { createSqlTransaction } from '../../src/stores/postgres/idempotent-transaction.ts';
import { createTransaction } from '../../src/transaction.ts';
import type { CallRun } from './call.ts';
import { currentCall } from './current-call.ts';
import { planOf, workOf } from './planning.ts';
import type { World } from './world.ts';

interface SimulatedRequest {
  readonly key: string;
  readonly payload: string;
}

export type Guarded = (request: SimulatedRequest) => Promise<unknown>;

class HookFailure extends Error {
  constructor(call: CallRun) {
    super(call.hookError());
  }
}

/** The function wrapper. */
export function guardedFunction(world: World, runtime: Runtime, store: RecordStore<object>): Guarded {
  const work = (_request: SimulatedRequest, handle: IdempotencyHandle<object>) => world.currentCall().handle(handle);
  const { renewLease = false } = world.plan;
  const options = { ...optionsFor(world, store), passHandle: true, renewLease };
  return createIdempotent(work, options as never, runtime) as unknown as Guarded;
}

/** The middleware in Middy's own chain, with hooks behind it that fail as the call's script says. */
export function guardedLambda(world: World, runtime: Runtime, store: RecordStore<object>): Guarded {
  const guard = createIdempotency(optionsFor(world, store) as never, runtime);
  const behind = {
    after: () => {
      if (world.currentCall().plan.script.after !== 'nothing') throw new HookFailure(world.currentCall());
    },
    onError: (request: { error: unknown; response: unknown }) => {
      const call = world.currentCall();
      const answers = call.plan.script.after === 'a hook throws, another one answers';
      if (answers && request.error instanceof HookFailure) request.response = call.hookAnswer();
    },
  };
  // Middy's own early timeout needs real timers: the handler below has the same race, in simulated time.
  const lambda = middy({ timeoutEarlyInMillis: 0 })
    .use([guard, behind] as never[])
    .handler(handle as never) as unknown as (event: unknown, context: object) => Promise<unknown>;
  return (request) => lambda(request, world.plan.entry === 'lambda' ? lambdaContext(world) : {});

  async function handle(
    _event: unknown,
    { idempotency }: { idempotency: IdempotencyHandle<object> },
  ): Promise<unknown> {
    const call = world.currentCall();
    const { deadline } = call;
    const answer = call.handle(idempotency);
    if (deadline === undefined) return answer;
    const timeout = runtime.delay(Math.max(0, deadline - TIMEOUT_EARLY_MILLIS - world.time));
    return Promise.race([answer, timeout.elapsed.then(() => timedOut(call))]).finally(() => timeout.cancel());
  }
}

/** `idempotentTransaction`: called, or in the place of Middy's handler. */
export function guardedTransaction(world: World, runtime: Runtime, store: RecordStore<object>): Guarded {
  const { entry, lookFirst = false, worksInSql = false } = world.plan;
  const { leaseMillis: _, settle: __, ...options } = optionsFor(world, store);
  const plan = () => planOf(world.currentCall());
  const work = (tx: never) => workOf(world.currentCall(), tx);
  const transaction: Guarded = worksInSql
    ? createSqlTransaction(work as never, options as never, runtime)
    : createTransaction(plan, { ...options, lookFirst } as never, runtime);
  if (entry === 'function') return transaction;
  const lambda = middy({ timeoutEarlyInMillis: 0 }).handler(transaction as never) as unknown as (
    event: unknown,
    context: object,
  ) => Promise<unknown>;
  return (request) => lambda(request, entry === 'lambda' ? lambdaContext(world) : {});
}

const TIMEOUT_EARLY_MILLIS = 5;

/** What Middy does by default, and what a `timeoutEarlyResponse` may do. */
function timedOut(call: CallRun): unknown {
  call.timeOut();
  if (call.plan.script.onTimeout === 'answer') return `timeout of ${call.plan.id}`;
  const error = new Error('[AbortError]: The operation was aborted.', { cause: { package: '@middy/core' } });
  error.name = 'TimeoutError';
  throw error;
}

function lambdaContext(world: World) {
  const { deadline = 0 } = world.currentCall();
  return { functionName: 'simulated', getRemainingTimeInMillis: () => Math.max(0, deadline - world.time) };
}

function optionsFor(world: World, store: RecordStore<object>): ProtocolOptions & Record<string, unknown> {
  const { leaseMillis, retentionSeconds, clockSkewMillis, onExpiredLease, waitMillis = 0 } = world.plan;
  return {
    store: store as RecordStore,
    operation: 'simulated',
    key: (request: SimulatedRequest) => request.key,
    fingerprint: (request: SimulatedRequest) => request.payload,
    ...(world.plan.entry !== 'lambda' && { leaseMillis }),
    retentionSeconds,
    clockSkewMillis,
    onExpiredLease,
    onInFlight: waitMillis === 0 ? 'throw' : { waitMillis },
    settle: ({ kind }) => world.currentCall().settlementOf(kind),
    warnings: false,
    onEvent: ({ type }) => {
      const call = currentCall.getStore();
      if (call !== undefined) world.recordOf(call, { type: 'reported', report: type });
    },
  };
}
