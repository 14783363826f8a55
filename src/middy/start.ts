import type { Execution } from '../core/execution/execution.ts';
import type { IdempotencyHandle } from '../core/execution/handle.ts';
import { storeFailure } from '../core/record/store-failure.ts';
import { type MiddyRequest, watchRequest } from './request.ts';
import { MiddyRun, type Refuse } from './run.ts';
import type { TimeoutWatch } from './timeout.ts';

/**
 * From here on the request is guarded: its handler has the handle, and its end is settled.
 *
 * @throws IdempotencyError `STORE_UNAVAILABLE` when the claim took so long that Middy would give the handler up at once
 */
export async function startRun(
  request: MiddyRequest,
  execution: Execution,
  timeout: TimeoutWatch,
  refuse: Refuse = rethrow,
): Promise<MiddyRun> {
  if (timeout.tooLateToStart()) {
    const error = storeFailure(
      new Error('the claim took all the time that the invocation had; nothing was executed'),
      'Look at the latency of the table, and at the timeouts of the client and of the function.',
    );
    await execution.settle('release', { kind: 'threw', error });
    throw error;
  }
  const run = new MiddyRun(request, execution, timeout, refuse);
  attachHandle(request, execution.handle);
  watchRequest(request, run);
  return run;
}

/** `context.idempotency`. A context that is frozen, or has one of another guard or request, is left as it is. */
export function attachHandle(request: MiddyRequest, handle: IdempotencyHandle | undefined): void {
  const context = (request.context ?? {}) as object;
  if ('idempotency' in context || !Object.isExtensible(context)) {
    request.context = Object.create(context, {
      idempotency: { value: handle, enumerable: true, configurable: true, writable: true },
    });
  } else {
    request.context = Object.assign(context, { idempotency: handle });
  }
}

function rethrow(error: unknown): never {
  throw error;
}
