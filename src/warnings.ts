import type { IdempotencyEvent } from './core/events.ts';
import { IdempotencyError, shown } from './errors.ts';

/** Each reason is logged once, and at most so many: a client may be refused as often as it sends requests. */
const MAX_REASONS = 100;

/** Failures that no caller sees: its request ends as if they had not happened. */
const ALWAYS_SILENT = ['completionFailed', 'releaseFailed', 'settlePolicyFailed'];

/**
 * Logs failures that the caller cannot see as process warnings. Lambda writes them into the function's log.
 *
 * @param answered further failures, which the caller gets without their reason
 */
export function warnOfFailures(answered: readonly string[] = []): (event: IdempotencyEvent) => void {
  const reasons = new Set<string>();
  return (event) => {
    if (!('error' in event) || isOfClient(event.error)) return;
    const { type, operation, id, error } = event;
    const isSilent = ALWAYS_SILENT.includes(type);
    const message = `${type} in operation '${operation}'${isSilent ? `, record ${id}` : ''}: ${adviceOf(error)}`;
    // Every record counts: an operator must find out about each. A request that was refused comes again.
    if (!isSilent) {
      if (!answered.includes(type) || reasons.has(message) || reasons.size === MAX_REASONS) return;
      reasons.add(message);
    }
    warn('FAILURE', message);
  };
}

function isOfClient(error: unknown): boolean {
  return error instanceof IdempotencyError && error.statusCode < 500;
}

function adviceOf(error: unknown): string {
  const { advice, cause, message } = (error ?? {}) as {
    advice?: string;
    cause?: { message?: string };
    message?: string;
  };
  return advice ?? cause?.message ?? message ?? shown(error);
}

const usersOfDefault = new WeakMap<object, string>();

/**
 * The default operation is one name for all guarded functions of a Lambda function. With equal keys, one gets the outcome of
 * another. Their keys may never be equal, so this is a warning. A guard that is made again, for every request perhaps, has the
 * same code and does not count.
 *
 * @param code the guarded code; the same text for all handlers in Middy, where a guard sees no difference between them
 */
export function warnOfSharedDefault(store: object, code: string): void {
  const user = usersOfDefault.get(store);
  usersOfDefault.set(store, code);
  if (!user || user === code) return;
  warn(
    'SHARED_OPERATION',
    'Two functions of one store have no `operation`: equal keys share an outcome. Give each its own',
  );
}

/** The code of the warning is `MIDDY_IDEMPOTENCY_` and `code`. */
export function warn(code: string, message: string): void {
  process.emitWarning(message, { type: 'IdempotencyWarning', code: `MIDDY_IDEMPOTENCY_${code}` });
}
