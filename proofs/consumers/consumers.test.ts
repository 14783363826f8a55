import { randomUUID } from 'node:crypto';
import { inject, it } from 'vitest';
import { type RunOptions, runPipeline } from './run.ts';

/** The short form of `npm run test:consumers`: the same code with fewer events, and as hard on them. */
const sources = new URL('../../tools/sources.ts', import.meta.url).href;

function shortRun(options: Partial<RunOptions> & Pick<RunOptions, 'signal'>) {
  const name = randomUUID();
  return runPipeline({
    endpoint: inject('dynamoDBEndpoint'),
    tables: { idempotency: `idempotency-${name}`, payments: `payments-${name}`, ledger: `ledger-${name}` },
    seed: 8,
    events: 60,
    poison: 5,
    duplicates: 0.3,
    kept: 0.02,
    crashes: 0.05,
    consumers: 2,
    // Long enough for a busy machine. A message comes again after the lease of a process that was killed, and not before.
    timeoutMillis: 5000,
    visibilitySeconds: 6,
    maxReceiveCount: 4,
    patienceMillis: 40_000,
    onProgress: () => undefined,
    execArgv: ['--import', sources],
    ...options,
  });
}

it.concurrent('books every payment once, with duplicates, another order, killed processes and poison', {
  timeout: 120_000,
}, async ({ expect, signal }) => {
  const { violations, found, repeated, reports } = await shortRun({ signal });
  expect(violations).toEqual([]);
  expect(found.moved).toHaveLength(60);
  expect(repeated).toBeGreaterThan(5);
  expect(reports.get('replayed')).toBeGreaterThan(5);
});

it.concurrent('finds a consumer without a guard out', { timeout: 120_000 }, async ({ expect, signal }) => {
  const { violations } = await shortRun({
    signal,
    consumerModule: new URL('unguarded-consumer.ts', import.meta.url),
    poison: 0,
    events: 20,
    duplicates: 0.5,
    crashes: 0,
  });
  expect(violations.length).toBeGreaterThan(0);
  expect(violations.every((violation) => violation.endsWith('is booked once too often'))).toBe(true);
});
