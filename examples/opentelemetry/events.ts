import { type Attributes, trace } from '@opentelemetry/api';
import type { IdempotencyEvent } from 'middy-idempotency';

/** What became of the request's claim. The span gets it as an attribute, too, so that spans can be searched by it. */
const RESULTS = new Set<string>([
  'claimed',
  'takenOver',
  'replayed',
  'notReplayable',
  'inFlight',
  'keyReused',
  'outcomeUnknown',
  'refused',
  'claimFailed',
  'unguarded',
]);

/**
 * The function that `onEvent` takes: a span event for each event, on the span that is active. Without an SDK that has been
 * registered, `@opentelemetry/api` has no active span, and nothing happens.
 */
export function openTelemetryEvents(event: IdempotencyEvent): void {
  const span = trace.getActiveSpan();
  if (span === undefined) return;
  const { type, operation, id, attempt, durationMillis } = event;
  const name = type.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const record: Attributes = { 'idempotency.operation': operation };
  if (id !== '') Object.assign(record, { 'idempotency.record.id': id, 'idempotency.attempt': attempt });
  span.addEvent(`idempotency.${name}`, {
    ...record,
    'idempotency.duration': durationMillis / 1000,
    ...('reason' in event && { 'idempotency.reason': event.reason }),
    ...('step' in event && { 'idempotency.step': event.step }),
    ...('error' in event && { 'error.type': typeOf(event.error) }),
  });
  if (RESULTS.has(type)) span.setAttributes({ ...record, 'idempotency.result': name });
}

/** As OpenTelemetry's conventions have `error.type`: few different values, and nothing of the message. */
function typeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  return String(code ?? name ?? '_OTHER');
}
