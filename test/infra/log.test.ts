import { IdempotencyError, type IdempotencyErrorCode } from 'middy-idempotency';
import { afterEach, expect, it, vi } from 'vitest';
import { logIdempotencyEvent } from '../../infra/payments/log.ts';

const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
const info = vi.spyOn(console, 'log').mockImplementation(() => undefined);
afterEach(() => vi.clearAllMocks());

const event = { operation: 'pay', id: '', attempt: 0, durationMillis: 0 } as const;
const refused = (code: IdempotencyErrorCode) =>
  logIdempotencyEvent({ ...event, type: 'refused', error: new IdempotencyError(code, 'no', { advice: 'do this' }) });

it('logs a missing authorizer as an error, with the advice', () => {
  refused('SCOPE_MISSING');
  expect(info).not.toHaveBeenCalled();
  expect(JSON.parse(error.mock.calls[0]?.[0])).toMatchObject({
    level: 'error',
    type: 'refused',
    error: { code: 'SCOPE_MISSING', advice: 'do this' },
  });
});

it("logs a client's mistake, and what goes well, as information", () => {
  refused('KEY_MISSING');
  logIdempotencyEvent({ ...event, type: 'claimed' });
  expect(error).not.toHaveBeenCalled();
  expect(info).toHaveBeenCalledTimes(2);
});
