import type { RemainingMillis } from './core/budget.ts';
import { type Claim, createGuard } from './core/claim/claim.ts';
import { emit, type IdempotencyEvent, type IdempotencyEventType } from './core/events.ts';
import {
  PROTOCOL_OPTION_NAMES,
  type ProtocolOptions,
  type ResolvedProtocolOptions,
  refuseUnknownOptions,
  resolveProtocolOptions,
} from './core/options.ts';
import type { ReplayFormat } from './core/record/outcome.ts';
import type { Identity } from './core/record/record.ts';
import type { RecordStore } from './core/record/store.ts';
import type { Runtime } from './core/runtime.ts';
import { optionError } from './errors.ts';
import { refuseNested } from './nesting.ts';
import { identify } from './request-key/identify.ts';
import {
  isOperation,
  REQUEST_OPTION_NAMES,
  type RequestOptions,
  requireOperation,
  resolveRequestOptions,
} from './request-key/request-options.ts';
import { warn, warnOfFailures } from './warnings.ts';

/** The options that the middleware and the function wrapper have in common. */
export interface OperationOptions<Args extends readonly unknown[] = readonly [event: unknown], TItem = never>
  extends ProtocolOptions<TItem>,
    RequestOptions<Args> {}

interface Invocation {
  /** What the selectors read: the event, or the arguments. */
  readonly args: readonly unknown[];
  readonly remaining: RemainingMillis;
  /** The operation's name where the options and the environment have none. */
  readonly functionName?: string | undefined;
  readonly format: ReplayFormat;
}

/** What a request may do: execute under a claim, get an outcome, or (without a key, by option) run unguarded. */
type Admission = Claim | { readonly kind: 'unguarded' };

/** Guarded work, ready to admit requests. */
export interface Operation {
  /** The configured name, `undefined` where only the invocation can tell. */
  readonly operation: string | undefined;
  admit(invocation: Invocation): Promise<Admission>;
  /** Says that the request is executed without a guard. */
  unguarded(invocation: Invocation): Admission;
}

export const OPERATION_OPTION_NAMES: readonly string[] = [...PROTOCOL_OPTION_NAMES, ...REQUEST_OPTION_NAMES];

/**
 * Checks the options, once, and answers how each request is admitted.
 *
 * @param answered failures that the caller gets without their reason, so that the log must have it
 * @throws TypeError that names the wrong option
 */
export function createOperation(
  options: OperationOptions<never>,
  runtime: Runtime,
  extraOptionNames: readonly string[],
  answered: readonly IdempotencyEventType[] = [],
): Operation {
  const known = [...OPERATION_OPTION_NAMES, ...extraOptionNames];
  const { operation, protocol, nameOf, identityOf } = resolveOperation(options, known, answered);
  const isDisabled = options.allowDisabling && process.env['MIDDY_IDEMPOTENCY_DISABLED'] === 'true';
  if (isDisabled) warn('DISABLED', `Operation '${operation}' runs unguarded`);
  const guard = createGuard(
    isDisabled ? { ...protocol, store: agreeing(protocol.store), cache: undefined, onEvent: undefined } : protocol,
    runtime,
  );
  const storeOf = isDisabled ? undefined : options.migrateFrom?.attach(protocol, runtime, options);
  return { operation, admit, unguarded };

  async function admit(invocation: Invocation): Promise<Admission> {
    const identity = identityOf(invocation);
    if (!identity) return unguarded(invocation);
    // The handle works, and nothing is kept.
    if (isDisabled) unguarded(invocation);
    const { remaining, format, args } = invocation;
    return guard({ identity, remaining, format, store: storeOf?.(identity, args, format) });
  }

  function unguarded(invocation: Invocation): Admission {
    emit(protocol.onEvent, { type: 'unguarded', operation: nameOf(invocation), ...NO_RECORD });
    return { kind: 'unguarded' };
  }
}

/** A store that agrees to every write and keeps nothing, so that the handle works. It writes the items of a transaction only. */
function agreeing(store: RecordStore): RecordStore {
  const agree = async () => ({ done: true }) as const;
  const { transact } = store;
  return {
    ...store,
    insert: agree,
    replace: agree,
    ...(transact && { transact: (_record, ...rest) => transact.call(store, undefined, ...rest) }),
  };
}

type Asked = Pick<Invocation, 'args' | 'functionName'>;

interface ResolvedOperation {
  readonly operation: string | undefined;
  readonly protocol: ResolvedProtocolOptions;
  nameOf(invocation: Asked): string;
  /** @returns `undefined` where a request without a key may run unguarded */
  identityOf(invocation: Asked): Identity | undefined;
}

/** Checks the options, of which `known` are the names. @throws TypeError that names the wrong option */
export function resolveOperation(
  options: OperationOptions<never>,
  known: readonly string[],
  answered: readonly IdempotencyEventType[] = [],
): ResolvedOperation {
  refuseUnknownOptions(options, known);
  const protocol = { ...resolveProtocolOptions(options), onEvent: eventsOf(options, answered) };
  const request = resolveRequestOptions(options);
  const configured = request.operation ?? process.env['AWS_LAMBDA_FUNCTION_NAME'];
  const checked = isOperation(configured) ? configured : undefined;
  return { operation: configured, protocol, nameOf, identityOf };

  function identityOf(invocation: Asked): Identity | undefined {
    const operation = checked ?? nameOf(invocation);
    try {
      const identity = identify(request, operation, invocation.args);
      if (identity) refuseNested(identity.id);
      return identity;
    } catch (error) {
      emit(protocol.onEvent, { type: 'refused', error, operation, ...NO_RECORD });
      throw error;
    }
  }

  function nameOf({ functionName }: Asked): string {
    const operation = configured ?? functionName;
    if (operation === undefined)
      throw optionError('operation', 'is missing: set it, or give the context a functionName');
    requireOperation(operation);
    return operation;
  }
}

/** The user's own callback, with the process warnings beside it. */
function eventsOf({ onEvent, warnings }: OperationOptions<never>, answered: readonly IdempotencyEventType[]) {
  if (warnings === false) return onEvent;
  const warn = warnOfFailures(answered);
  return (event: IdempotencyEvent) => {
    warn(event);
    return onEvent?.(event);
  };
}

const NO_RECORD = { id: '', attempt: 0, durationMillis: 0 };

/**
 * In Middy's durable mode a handler is called again after every wait, and a wait may last for months. For this guard, each
 * call would be another execution.
 *
 * @throws TypeError that says what to guard instead
 */
export function refuseDurable(context: unknown): void {
  if (!remainingIn(context, true)) return;
  throw new TypeError(
    'middy-idempotency cannot guard a durable execution as a whole: its handler runs again after every wait. ' +
      'Guard each effect in a step.',
  );
}

/** The remaining time of the current invocation; `undefined` where the value is not a Lambda context. */
export function remainingOf(context: unknown): RemainingMillis {
  return remainingIn(context) ?? remainingIn(context, true);
}

interface LambdaContext {
  readonly getRemainingTimeInMillis?: () => number;
}

interface DurableContext {
  readonly lambdaContext: unknown;
}

/** In a durable execution the invocation's own context is one level down. */
function remainingIn(context: unknown, isDurable = false): RemainingMillis {
  try {
    const owner = (isDurable ? (context as DurableContext).lambdaContext : context) as LambdaContext | undefined;
    // No request that is not durable throws here: an exception costs more than the rest of the guard's preparation.
    const get = owner?.getRemainingTimeInMillis;
    const remaining = () => get?.call(owner) as number;
    return typeof owner === 'object' && typeof remaining() === 'number' ? remaining : undefined;
  } catch {
    // A proxy or a getter may refuse to answer.
    return undefined;
  }
}
