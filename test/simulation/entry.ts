import middy from '@middy/core';
import type { IdempotencyHandle } from '../../src/core/execution.ts';
import type { ProtocolOptions } from '../../src/core/options.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { createIdempotent } from '../../src/function.ts';
import { createMiddleware } from '../../src/middy.ts';
import type { CallRun } from './call.ts';
import { currentCall } from './current-call.ts';
import type { World } from './world.ts';

export interface SimulatedRequest {
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
export function guardedFunction(world: World, runtime: Runtime): Guarded {
  const work = (_request: SimulatedRequest, handle: IdempotencyHandle) => world.currentCall().handle(handle);
  return createIdempotent(work, { ...optionsFor(world), passHandle: true } as never, runtime) as unknown as Guarded;
}

/** The middleware in Middy's own chain, with hooks behind it that fail as the call's script says. */
export function guardedLambda(world: World, runtime: Runtime): Guarded {
  const guard = createMiddleware(optionsFor(world) as never, runtime);
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
  type Context = { idempotency: IdempotencyHandle };
  const lambda = middy()
    .use([guard, behind] as never[])
    .handler(((_event: unknown, { idempotency }: Context) => world.currentCall().handle(idempotency)) as never);
  return (request) => (lambda as unknown as (event: unknown, context: object) => Promise<unknown>)(request, {});
}

function optionsFor(world: World): ProtocolOptions & Record<string, unknown> {
  const { leaseMillis, retentionSeconds, clockSkewMillis, onExpiredLease } = world.plan;
  return {
    store: world.network.store,
    operation: 'simulated',
    key: (request: SimulatedRequest) => request.key,
    fingerprint: (request: SimulatedRequest) => request.payload,
    leaseMillis,
    retentionSeconds,
    clockSkewMillis,
    onExpiredLease,
    settle: () => world.currentCall().plan.script.settlement,
    onEvent: ({ type }) => {
      const call = currentCall.getStore();
      if (call !== undefined) world.recordOf(call, { type: 'reported', report: type });
    },
  };
}
