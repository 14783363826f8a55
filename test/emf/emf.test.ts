import { CLAIM_LATENCY, EVENT_METRICS, emfMetrics } from 'middy-idempotency/emf';
import { afterEach, expect, it, vi } from 'vitest';
import { page } from '../support/pages.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

const event = { operation: 'pay', id: 'pay#a', attempt: 1, durationMillis: 12 } as const;

it('counts each event, and times those that answer a claim', () => {
  vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'payments');
  expect(emfMetrics({ ...event, type: 'replayed' })).toEqual({
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: 'MiddyIdempotency',
          Dimensions: [['functionName']],
          Metrics: [
            { Name: 'Replays', Unit: 'Count' },
            { Name: CLAIM_LATENCY, Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    functionName: 'payments',
    Replays: 1,
    ClaimLatency: 12,
  });
  expect(emfMetrics({ ...event, type: 'completed' }, 'refunds')).toMatchObject({
    functionName: 'refunds',
    Completions: 1,
  });
  expect(emfMetrics({ ...event, type: 'completed' })).not.toHaveProperty(CLAIM_LATENCY);
});

it.each(Object.entries(EVENT_METRICS))('the page of events has the metric of %s', (type, metric) => {
  expect(page('docs/reference/events.md')).toMatch(new RegExp(`\\| \`${type}\` .*\\| \`${metric}\` \\|\n`));
});
