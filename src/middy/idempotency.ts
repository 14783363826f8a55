import { jsonFormat } from '../core/record/outcome.ts';
import type { Runtime } from '../core/runtime.ts';
import { createOperation, type OperationOptions } from '../operation.ts';
import { systemRuntime } from '../runtime.ts';
import { warnOfSharedDefault } from '../warnings.ts';
import { createMiddleware, type IdempotencyContext, type IdempotencyMiddleware } from './lifecycle.ts';

/** `TItem` is one write of the store's transactions: see `IdempotencyHandle.transact`. */
export interface IdempotencyOptions<TEvent = unknown, TItem = never>
  extends OperationOptions<readonly [event: TEvent], TItem> {
  /**
   * The number that `middy()` was given, if it was given one. The guard needs the same value as Middy, to tell an
   * early-timeout response from the handler's. A response that comes when no more time than this is left is never stored.
   * @default 5, as in Middy
   */
  readonly timeoutEarlyInMillis?: number;
}

/**
 * A Middy middleware (`@middy/core` 6 and 7) that gives a retry the stored outcome instead of a second execution.
 *
 * Use it FIRST. Then it computes its key from the event as it came, before other middlewares change it. It stores the
 * response as it leaves, after they have changed it.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 * @throws IdempotencyError from the invocation: see `IdempotencyErrorCode`
 */
export function idempotency<TEvent = unknown, TItem = never>(
  options: IdempotencyOptions<TEvent, TItem>,
): IdempotencyMiddleware<TEvent, IdempotencyContext<TItem>> {
  return createIdempotency(options, systemRuntime) as IdempotencyMiddleware<never, never>;
}

/** `idempotency` with the clock, the randomness and the timers passed in. @internal */
export function createIdempotency(
  options: IdempotencyOptions<never>,
  runtime: Runtime,
): IdempotencyMiddleware<unknown, unknown> {
  const operation = createOperation(options, runtime, ['timeoutEarlyInMillis']);
  if (options.operation === undefined) warnOfSharedDefault(options.store, 'a handler');
  return createMiddleware({
    name: 'idempotency',
    operation,
    timeoutEarlyInMillis: options.timeoutEarlyInMillis,
    read: ({ event }) => ({ args: [event], format: jsonFormat, runsUnanswered: false, reject: rethrow }),
  });
}

function rethrow(error: unknown): never {
  throw error;
}
