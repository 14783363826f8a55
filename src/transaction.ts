import { createTransactor, type Plan } from './core/claim/transaction.ts';
import type { Identity } from './core/record/record.ts';
import type { Runtime } from './core/runtime.ts';
import { optionError } from './errors.ts';
import { functionFormat } from './function/format.ts';
import { type IdempotentFunction, remainingAmong, unwrap } from './function.ts';
import { OPERATION_OPTION_NAMES, type OperationOptions, resolveOperation } from './operation.ts';
import { requireOperation } from './request-key/request-options.ts';
import { systemRuntime } from './runtime.ts';

/** The options of `idempotent`, without those of a lease, since there is none, and without those of migration and disabling. */
export interface TransactionOptions<Args extends readonly unknown[], TItem>
  extends Omit<
    OperationOptions<Args, TItem>,
    'leaseMillis' | 'settle' | 'onMissingKey' | 'allowDisabling' | 'migrateFrom'
  > {
  /**
   * Whether the record is read before the plan is made: one read for each request, where a plan costs more than that.
   * @default false: a retry makes its plan, and finds the record when it writes
   */
  readonly lookFirst?: boolean;
}

/** What a plan knows of its request. */
export interface PlanContext {
  /** A UUID that is the same on every attempt of this request, as `IdempotencyHandle.deriveKey`. Use it for ids of what is written. */
  deriveKey(name: string): string;
}

/** What a request is going to write, and its response. */
export interface TransactionPlan<TItem, Response> {
  /** With `dynamoDBStore`, up to 99 entries of `TransactItems` of lib-dynamodb's `TransactWriteCommand`. */
  readonly items: readonly TItem[];
  readonly response: Response;
}

/**
 * Exactly once in one request, for work whose only effects are writes to the store's own database. There is no claim: the
 * writes of the plan, the response and the record are one transaction. So there is no lease, no takeover and no unknown outcome.
 *
 * `plan` may read, and must have no effect. It may run for a retry, too, and its writes are then dropped. If it throws, or a
 * condition of its items fails, the record is read first: an outcome that is there counts. Else the error is thrown as it is,
 * and nothing is recorded.
 *
 * @throws TypeError at construction when an option is wrong; the message names it
 * @throws IdempotencyError when called: see `IdempotencyErrorCode`. `STORE_UNAVAILABLE` when a try got no answer: the items
 *   and the record are written together, or not at all, and a retry finds out
 */
export function idempotentTransaction<TItem, Plan extends AnyPlan<TItem>>(
  plan: Plan,
  options: TransactionOptions<ArgsOf<Plan>, TItem>,
): IdempotentFunction<ArgsOf<Plan>, ResponseOf<Plan>> {
  return createTransaction(plan, options as never, systemRuntime) as IdempotentFunction<ArgsOf<Plan>, ResponseOf<Plan>>;
}

type AnyPlan<TItem> = (
  context: PlanContext,
  ...args: never[]
) => TransactionPlan<TItem, unknown> | Promise<TransactionPlan<TItem, unknown>>;
type ArgsOf<Plan> = Plan extends (context: PlanContext, ...args: infer Args) => unknown ? Args : never;
type ResponseOf<Plan> = Plan extends (...all: never) => infer Made
  ? Awaited<Made>['response' & keyof Awaited<Made>]
  : never;

/** `idempotentTransaction` with the clock, the randomness and the timers passed in. @internal */
export function createTransaction(
  plan: (context: PlanContext, ...args: never[]) => unknown,
  options: TransactionOptions<never, never>,
  runtime: Runtime,
): (...args: readonly unknown[]) => Promise<unknown> {
  if (typeof plan !== 'function') throw new TypeError('idempotentTransaction(plan, options): plan must be a function');
  const { lookFirst = false } = options ?? {};
  const { operation, protocol, identityOf } = resolveOperation(options as OperationOptions<never>, KNOWN_OPTIONS);
  requireOperation(operation);
  if (typeof lookFirst !== 'boolean') throw optionError('lookFirst', 'must be true or false');
  if (protocol.store.transact === undefined) {
    throw optionError('store', 'has no transactions, and idempotentTransaction needs them');
  }
  const transact = createTransactor(protocol, runtime, lookFirst);

  return async function idempotentTransaction(...args) {
    const remaining = remainingAmong(args);
    // `onMissingKey` is no option here: there is a key.
    const identity = identityOf({ args }) as Identity;
    const { deriveKey } = identity;
    const planned = async () => checkedPlan(await plan({ deriveKey }, ...(args as never[])));
    return unwrap(await transact({ identity, remaining, format: functionFormat, plan: planned }));
  };
}

const NO_OPTIONS = ['leaseMillis', 'settle', 'onMissingKey', 'allowDisabling', 'migrateFrom'];
const KNOWN_OPTIONS = [...OPERATION_OPTION_NAMES.filter((name) => !NO_OPTIONS.includes(name)), 'lookFirst'];

function checkedPlan(planned: unknown): Plan {
  const { items } = (planned ?? {}) as Partial<Plan>;
  if (Array.isArray(items)) return planned as Plan;
  throw new TypeError(
    'idempotentTransaction(plan): the plan must return { items, response }, and items must be a list',
  );
}
