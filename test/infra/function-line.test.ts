import { IdempotencyError } from 'middy-idempotency';
import { describe, expect, it } from 'vitest';
import { describeLine } from '../../infra/local/function-line.ts';
import { logIdempotencyEvent } from '../../infra/payments/log.ts';
import { captureLog } from './support/log.ts';

const log = captureLog();

describe('a line that a function has printed', () => {
  it.each(['text', '{ a: 1 }', '{', '{"type":"completed","id":"pay#', '{}', '{"level":"info"}', '{"type":1}', 'null'])(
    'is shown as it is when it is no event: %s',
    (line) => {
      expect(describeLine(line)).toBe(line);
    },
  );

  it('is shown short when it is an event, with its error and what to do', () => {
    const event = { operation: 'pay', id: 'pay#1', attempt: 2, durationMillis: 7 };
    const error = new IdempotencyError('STORE_UNAVAILABLE', 'The table does not answer.', { advice: 'Create it.' });
    logIdempotencyEvent({ ...event, type: 'completed' });
    logIdempotencyEvent({ ...event, type: 'claimFailed', error });
    expect(log.lines().map(describeLine)).toEqual([
      'completed pay#1 attempt 2 7 ms',
      'claimFailed pay#1 attempt 2 7 ms: STORE_UNAVAILABLE: The table does not answer. Create it.',
    ]);
  });
});
