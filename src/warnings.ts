import type { IdempotencyEvent } from './core/events.ts';
import { IdempotencyError } from './errors.ts';

/** Each reason is said once, and this many: who is refused may come as often as he likes. */
const MAX_SAID = 100;

/** What no caller is told of: its request ends as if nothing had been. */
const ALWAYS_SILENT = ['completionFailed', 'releaseFailed', 'settlePolicyFailed'];

/**
 * What takes the place of an `onEvent` that was not given: a failure that nobody else hears of is a warning of the process,
 * which Lambda writes into its log.
 *
 * @param answered the failures besides these that the caller gets without their reason
 */
export function warnOfFailures(answered: readonly string[] = []): (event: IdempotencyEvent) => void {
  const said = new Set<string>();
  return (event) => {
    if (!('error' in event) || isOfClient(event.error)) return;
    const reason = `${event.type} in operation '${event.operation}'`;
    // Whose work it is that is not kept, somebody must find out. A request that was refused comes again.
    if (ALWAYS_SILENT.includes(event.type))
      return warn('FAILURE', `${reason}, record ${event.id}: ${reasonOf(event.error)}`);
    const message = `${reason}: ${reasonOf(event.error)}`;
    if (!answered.includes(event.type) || said.has(message) || said.size === MAX_SAID) return;
    said.add(message);
    warn('FAILURE', message);
  };
}

function isOfClient(error: unknown): boolean {
  return error instanceof IdempotencyError && error.statusCode < 500;
}

function reasonOf(error: unknown): string {
  if (error instanceof IdempotencyError) return error.advice ?? reasonOf(error.cause ?? error.message);
  if (error instanceof Error) return error.message;
  return typeof error === 'object' ? 'an object was thrown' : String(error);
}

const usersOfDefault = new WeakMap<object, string>();

/**
 * The default operation is one name for all guarded functions of a Lambda function, and for an equal key one gets the outcome of
 * the other. Nobody knows whether their keys can be equal, so that it is a warning. A guard that is made anew, perhaps for every
 * request, is no other: its code is the same. Of handlers in Middy nothing tells one from another.
 */
export function warnOfSharedDefault(store: object, guarded: 'a handler' | ((...args: never) => unknown)): void {
  const code = typeof guarded === 'string' ? guarded : `${guarded.name} ${Function.prototype.toString.call(guarded)}`;
  const user = usersOfDefault.get(store);
  usersOfDefault.set(store, code);
  if (user === undefined || user === code) return;
  warn(
    'SHARED_OPERATION',
    "Two guarded functions, or a handler and a function, of one store have no `operation`: both have the Lambda function's " +
      "name, and with equal keys one gets the outcome of the other. Give each its own, such as 'charge'.",
  );
}

function warn(code: string, message: string): void {
  process.emitWarning(message, { type: 'IdempotencyWarning', code: `MIDDY_IDEMPOTENCY_${code}` });
}
