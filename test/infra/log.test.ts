import { IdempotencyError, type IdempotencyErrorCode, type IdempotencyEvent } from 'middy-idempotency';
import { expect, it } from 'vitest';
import { logIdempotencyEvent } from '../../infra/payments/log.ts';
import { captureLog } from './support/log.ts';

const log = captureLog();

/** What was logged: one line, of JSON. */
function logged(event: IdempotencyEvent) {
  logIdempotencyEvent(event);
  const line = log.lines().at(-1) ?? '';
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return JSON.parse(line);
}

const event = { operation: 'pay', id: '', attempt: 0, durationMillis: 12 } as const;
const refused = (code: IdempotencyErrorCode) =>
  logged({ ...event, type: 'refused', error: new IdempotencyError(code, 'no', { advice: 'do this' }) });

it('logs a missing authorizer as an error, with the advice', () => {
  expect(refused('SCOPE_MISSING')).toMatchObject({
    level: 'error',
    type: 'refused',
    error: { code: 'SCOPE_MISSING', advice: 'do this' },
  });
});

it("logs a client's mistake as information", () => {
  expect(refused('KEY_MISSING')).toMatchObject({ level: 'info', type: 'refused' });
});

it('counts each event, and times those that answer a claim, in the embedded metric format', () => {
  const metrics = [
    { Name: 'Claims', Unit: 'Count' },
    { Name: 'ClaimLatency', Unit: 'Milliseconds' },
  ];
  expect(logged({ ...event, type: 'claimed' })).toMatchObject({
    level: 'info',
    functionName: 'local',
    Claims: 1,
    ClaimLatency: 12,
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [{ Namespace: 'MiddyIdempotency', Dimensions: [['functionName']], Metrics: metrics }],
    },
  });
  const completed = logged({ ...event, type: 'completed' });
  expect(completed).toMatchObject({ Completions: 1 });
  expect(completed).not.toHaveProperty('ClaimLatency');
});
