import { IdempotencyError, type IdempotencyEvent } from 'middy-idempotency';
import { emfMetrics } from 'middy-idempotency/emf';

/**
 * One line of structured JSON, as CloudWatch Logs Insights reads it. Errors with their causes.
 *
 * Straight to the standard output: Lambda's console would wrap the line into one of its own.
 */
export function logLine(level: 'info' | 'error', message: string, details: Readonly<Record<string, unknown>>): void {
  const described = Object.entries(details).map(([name, value]) => [
    name,
    value instanceof Error ? describeError(value) : value,
  ]);
  process.stdout.write(`${JSON.stringify({ level, message, ...Object.fromEntries(described) })}\n`);
}

/**
 * What an operator must look into (the table is gone, an authorizer is missing) is an error; a
 * client's mistake is not.
 */
export function logIdempotencyEvent(event: IdempotencyEvent): void {
  const error = 'error' in event ? event.error : undefined;
  const isMistakeOfClient = error instanceof IdempotencyError && error.statusCode < 500;
  logLine(error === undefined || isMistakeOfClient ? 'info' : 'error', 'idempotency', {
    ...event,
    ...emfMetrics(event),
  });
}

/** A chain of causes may be a circle. */
const MAX_CAUSES = 5;

function describeError(error: Error, depth = 0): Record<string, unknown> {
  const { name, message, stack, cause, code, advice } = error as Error & { code?: unknown; advice?: unknown };
  return {
    name,
    message,
    stack,
    ...(code !== undefined && { code }),
    ...(advice !== undefined && { advice }),
    ...(cause instanceof Error && depth < MAX_CAUSES && { cause: describeError(cause, depth + 1) }),
  };
}
