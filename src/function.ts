import type { Execution } from './core/execution/execution.ts';
import type { IdempotencyHandle } from './core/execution/handle.ts';
import { leaseLostError } from './core/record/failures.ts';
import { type Outcome, returned, threw } from './core/record/outcome.ts';
import type { Runtime } from './core/runtime.ts';
import { optionError } from './errors.ts';
import { functionFormat } from './function/format.ts';
import type { Jsonified } from './json.ts';
import { runInside } from './nesting.ts';
import { createOperation, type OperationOptions, remainingOf } from './operation.ts';
import { requireOperation } from './request-key/request-options.ts';
import { systemRuntime } from './runtime.ts';
import { warnOfSharedDefault } from './warnings.ts';

export interface FunctionOptions<Args extends readonly unknown[], TItem = never> extends OperationOptions<Args, TItem> {
  /**
   * Whether the function gets the `IdempotencyHandle`, as the last of its parameters. A call with more arguments than those in
   * front of it is refused with a TypeError: call it as `orders.map((order) => fn(order))`, not as `orders.map(fn)`. Declare no
   * rest parameter and no default before the handle: `fn.length` does not count them. If `fn.length` is 0 or 1, the handle
   * comes behind all arguments. @default false
   */
  readonly passHandle?: boolean;
  /**
   * Whether the lease is renewed while the function runs, at every third of its length. Use it for work that may take longer
   * than `leaseMillis`: a crash is still noticed after `leaseMillis`. The handle's `signal` fires when the lease is lost or
   * cannot be renewed in time. Where the lease follows a Lambda invocation, it needs no renewal, and there is none.
   * @default false
   */
  readonly renewLease?: boolean;
}

/** The guarded function: the arguments of the original, and its result as a round through JSON leaves it. */
export type IdempotentFunction<Args extends readonly unknown[], Result> = (
  ...args: Args
) => Promise<Jsonified<Awaited<Result>>>;

/**
 * Makes a function safe to retry: called again with the same key, it gives the stored outcome instead of executing.
 *
 * Paths and `jmespath('…')` read the first argument; functions get all arguments. When one of the arguments is a Lambda context,
 * the lease follows its remaining time. The first caller, too, gets the result as a round through JSON leaves it: a retry
 * sees no other. What JSON refuses or would empty goes to the first caller as it is, and a retry gets
 * `RESPONSE_NOT_REPLAYABLE`. JSON empties a Map, a Set, an Error, and an instance whose fields are all private.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 * @throws IdempotencyError when called: see `IdempotencyErrorCode`. What the function throws is rethrown as it was.
 */
export function idempotent<Args extends readonly unknown[], Result, TItem = never>(
  fn: (...args: [...Args, IdempotencyHandle<NoInfer<TItem>>]) => Result,
  options: FunctionOptions<Args, TItem> & { readonly passHandle: true; readonly onMissingKey?: 'throw' },
): IdempotentFunction<Args, Result>;
export function idempotent<Args extends readonly unknown[], Result>(
  fn: (...args: Args) => Result,
  options: FunctionOptions<Args> & { readonly passHandle?: false },
): IdempotentFunction<Args, Result>;
export function idempotent(fn: AnyFunction, options: FunctionOptions<never>): AnyFunction {
  return createIdempotent(fn, options, systemRuntime);
}

type AnyFunction = (...args: never) => unknown;

/** `idempotent` with the clock, the randomness and the timers passed in. @internal */
export function createIdempotent(fn: AnyFunction, options: FunctionOptions<never>, runtime: Runtime): AnyFunction {
  if (typeof fn !== 'function') throw new TypeError('idempotent(fn, options): fn must be a function');
  if (/Generator/.test(Object.prototype.toString.call(fn))) {
    throw new TypeError('idempotent(fn, options): fn must not be a generator: nothing of it has run when it answers');
  }
  const { admit, operation } = createOperation(options, runtime, ['passHandle', 'renewLease']);
  // A bundler renames functions at every build, so that only a given name can stand for the work.
  requireOperation(operation);
  const { passHandle = false, renewLease = false, onMissingKey } = options;
  for (const [name, value] of Object.entries({ passHandle, renewLease })) {
    if (typeof value !== 'boolean') throw optionError(name, 'must be true or false');
  }
  if (passHandle && onMissingKey === 'run') {
    throw optionError('passHandle', "needs onMissingKey 'throw': an unguarded execution has no handle");
  }
  if (options.operation === undefined) {
    warnOfSharedDefault(options.store, `${fn.name} ${Function.prototype.toString.call(fn)}`);
  }

  const declared = Math.max(0, passHandle ? fn.length - 1 : fn.length);
  const guarded = async function idempotentFunction(this: unknown, ...given: unknown[]) {
    const call = fn as (...args: unknown[]) => unknown;
    const args = withoutCallback(declared, given);
    const own = passHandle ? inFrontOfHandle(declared, args) : args;
    const admission = await admit({ args, remaining: remainingAmong(args), format: functionFormat });
    switch (admission.kind) {
      case 'unguarded':
        return unwrap(functionFormat.encode(returned(await call.apply(this, args))).outcome);
      case 'replay':
        return unwrap(admission.outcome);
      case 'unanswered':
        throw admission.error;
      case 'execute': {
        const { execution } = admission;
        if (renewLease) execution.renew();
        return unwrap(
          await executed(execution, () => call.apply(this, passHandle ? [...own, execution.handle] : args)),
        );
      }
    }
  };
  // Lambda refuses a handler with a callback by the number of its parameters, from Node.js 24 on.
  return Object.defineProperty(guarded, 'length', { value: declared, configurable: true }) as AnyFunction;
}

/**
 * Up to Node.js 22, Lambda gives every handler a callback, behind its context. The outcome of a guarded one is what it returns.
 *
 * @throws TypeError where the function declares the callback: it would be stored as done when it returns, before its work ends
 */
function withoutCallback(declared: number, args: unknown[]): unknown[] {
  const [, context, callback] = args;
  if (args.length !== 3 || typeof callback !== 'function' || remainingOf(context) === undefined) return args;
  if (declared <= 2) return args.slice(0, 2);
  throw new TypeError(
    'middy-idempotency: a guarded handler declares a callback behind its context. It must return a promise of its response ' +
      'instead: make it async, return what it gave to the callback, and declare no callback.',
  );
}

/**
 * The arguments, filled up with `undefined` so that the handle comes where the function declares it. With more arguments
 * than it declares, the function would take one of them for the handle.
 */
function inFrontOfHandle(declared: number, args: readonly unknown[]): readonly unknown[] {
  // `length` does not count a rest parameter, nor anything from the first default on. So the number of parameters is not known.
  if (declared < 1) return args;
  if (args.slice(declared).some((surplus) => surplus !== undefined)) {
    throw new TypeError(
      `middy-idempotency: a guarded function was called with ${args.length} arguments, and declares ${declared} in front of its ` +
        'handle. Give it no more: orders.map((order) => fn(order)). Parameters from the first default on are not counted: have none.',
    );
  }
  return Array.from({ length: declared }, (_, index) => args[index]);
}

/**
 * Runs the guarded code and settles its outcome. Resolves with what the caller gets.
 *
 * @throws IdempotencyError `LEASE_LOST` when another execution has taken over, and its outcome is not known
 */
export async function executed(execution: Execution, call: () => unknown): Promise<Outcome> {
  const outcome = await outcomeOf(() => runInside(execution, call));
  const settlement = execution.settlementOf(outcome);
  // Other code may hold the result, too, and change it while it is being stored: the caller gets what is stored.
  const encoded = execution.format.encode(outcome);
  const settled = await (settlement === 'store' ? execution.store(encoded) : execution[settlement]());
  if (outcome.kind === 'threw' || settled.kind === 'done') return encoded.outcome;
  if (settled.kind === 'superseded') return settled.outcome;
  throw leaseLostError();
}

async function outcomeOf(call: () => unknown): Promise<Outcome> {
  try {
    return returned(await call());
  } catch (error) {
    return threw(error);
  }
}

export function unwrap(outcome: Outcome): unknown {
  if (outcome.kind === 'threw') throw outcome.error;
  return outcome.value;
}

/** Of the first Lambda context among the arguments. */
export function remainingAmong(args: readonly unknown[]) {
  for (const arg of args) {
    const remaining = remainingOf(arg);
    if (remaining !== undefined) return remaining;
  }
  return undefined;
}
