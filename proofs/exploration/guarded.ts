import middy from '@middy/core';
import type { IdempotencyHandle } from '../../src/core/execution/handle.ts';
import type { RecordStore } from '../../src/core/record/store.ts';
import type { Runtime } from '../../src/core/runtime.ts';
import { createIdempotent } from '../../src/function.ts';
import { createIdempotency } from '../../src/middy/idempotency.ts';
import { createTransaction, type TransactionPlan } from '../../src/transaction.ts';
import { type Configuration, type End, SETTLEMENTS } from './configuration.ts';
import type { Item } from './stimulus.ts';

/** What stands around one execution of the real code. */
export interface Guarded {
  readonly id: string;
  readonly payload: string;
  readonly configuration: Configuration;
  readonly isTransaction: boolean;
  readonly store: RecordStore<Item>;
  readonly runtime: Runtime;
  /** How its handler has ended. */
  readonly end: End;
  /** The handler. */
  work(handle: IdempotencyHandle): Promise<unknown>;
  /** What an `idempotentTransaction` does instead. */
  plan(): Promise<TransactionPlan<Item, string>>;
  report(type: string): void;
}

/** The request of one execution, through the real function wrapper or middleware. */
export function guarded(run: Guarded): Promise<unknown> {
  const request = { key: 'A', payload: run.payload };
  if (run.isTransaction) return asTransaction(run)(request);
  return run.configuration.entry === 'function' ? asFunction(run)(request) : asLambda(run)(request, {});
}

type Entry = (request: object, context?: object) => Promise<unknown>;

function asFunction(run: Guarded): Entry {
  const work = (_request: object, handle: IdempotencyHandle) => run.work(handle);
  const options = { ...optionsOf(run), passHandle: true };
  return createIdempotent(work as never, options as never, run.runtime) as unknown as Entry;
}

function asTransaction(run: Guarded): Entry {
  const { leaseMillis: _, settle: __, ...options } = optionsOf(run);
  const { lookFirst } = run.configuration;
  return createTransaction(() => run.plan(), { ...options, lookFirst } as never, run.runtime) as Entry;
}

class HookFailure extends Error {}

/** A hook behind the handler throws, and another one answers: what was stored is amended. */
function asLambda(run: Guarded): Entry {
  const guard = createIdempotency(optionsOf(run) as never, run.runtime);
  const behind = {
    after: () => {
      throw new HookFailure('a hook has failed');
    },
    onError: (request: { error: unknown; response: unknown }) => {
      if (request.error instanceof HookFailure) request.response = `hook's answer of ${run.id}`;
    },
  };
  return middy({ timeoutEarlyInMillis: 0 })
    .use([guard, behind] as never[])
    .handler(((_event: unknown, { idempotency }: { idempotency: IdempotencyHandle }) =>
      run.work(idempotency)) as never) as unknown as Entry;
}

function optionsOf(run: Guarded) {
  const { leaseMillis, retentionSeconds, clockSkewMillis, onExpiredLease, waitMillis } = run.configuration;
  return {
    store: run.store,
    operation: 'explored',
    key: (request: { key: string }) => request.key,
    fingerprint: (request: { payload: string }) => request.payload,
    leaseMillis,
    retentionSeconds,
    clockSkewMillis,
    onExpiredLease,
    ...(waitMillis > 0 && { onInFlight: { waitMillis } }),
    settle: ({ kind }: { kind: 'returned' | 'threw' }) =>
      (kind === 'threw') === (run.end === 'throw') ? SETTLEMENTS[run.end] : 'release',
    onEvent: ({ type }: { type: string }) => run.report(type),
    warnings: false,
  };
}
