import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, inject, it } from 'vitest';
import { type Database, openDynamoDB, openPostgreSQL } from './databases.ts';
import { holdBackFailures } from './quiet.ts';
import { type RunOptions, runPipeline } from './run.ts';

/** The short form of `npm run test:consumers`: the same code with fewer events, and as hard on them. */
const sources = new URL('../../tools/sources.ts', import.meta.url).href;

let sayAgain: () => void = () => undefined;
beforeAll(() => {
  sayAgain = holdBackFailures();
});
afterAll(() => sayAgain());

function inDynamoDB() {
  const name = randomUUID();
  const tables = { idempotency: `idempotency-${name}`, payments: `payments-${name}`, ledger: `ledger-${name}` };
  return openDynamoDB(inject('dynamoDBEndpoint'), tables);
}

function inPostgres() {
  return openPostgreSQL(inject('postgresUrl'), `consumers_${randomUUID().replaceAll('-', '')}`);
}

type Short = Partial<RunOptions> & Pick<RunOptions, 'signal'>;

function shortRun<Item>(database: Database<Item>, options: Short) {
  return runPipeline(database, {
    seed: 8,
    events: 60,
    refunded: 0.1,
    poison: 5,
    duplicates: 0.3,
    kept: 0.02,
    crashes: 0.05,
    reused: 0,
    vanishing: 0,
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
  const { violations, found, repeated, reports } = await shortRun(await inDynamoDB(), { signal });
  expect(violations).toEqual([]);
  expect(found.moved).toHaveLength(60);
  expect(repeated).toBeGreaterThan(5);
  expect(reports.get('replayed')).toBeGreaterThan(5);
});

it.concurrent('the ledger has what the processor has paid, with reused keys, and records that vanish', {
  timeout: 120_000,
}, async ({ expect, signal }) => {
  const { violations, found, reuses, vanished } = await shortRun(await inDynamoDB(), {
    ...{ signal, poison: 0, refunded: 0.8, reused: 0.6, vanishing: 0.6 },
  });
  expect(violations).toEqual([]);
  expect(found.movements).toHaveLength(60);
  expect(Math.min(reuses.refused, reuses.accepted, vanished.completed)).toBeGreaterThan(0);
});

it.concurrent('PostgreSQL has the same in the end, with all of that at once', {
  timeout: 120_000,
}, async ({ expect, signal }) => {
  const { violations, found, repeated, reuses, vanished } = await shortRun(await inPostgres(), {
    ...{ signal, refunded: 0.8, reused: 0.6, vanishing: 0.3 },
  });
  expect(violations).toEqual([]);
  expect(found.movements).toHaveLength(60);
  expect(Math.min(repeated, reuses.refused, vanished.completed)).toBeGreaterThan(0);
});

it.concurrent('finds a consumer without a guard out', { timeout: 120_000 }, async ({ expect, signal }) => {
  const { violations } = await shortRun(await inDynamoDB(), {
    signal,
    consumerModule: new URL('unguarded-consumer.ts', import.meta.url),
    poison: 0,
    events: 20,
    duplicates: 0.5,
    crashes: 0,
  });
  expect(violations.length).toBeGreaterThan(0);
  const isTwice = /is booked once too often$|is in the ledger, and not by the processor$/;
  expect(violations.filter((violation) => !isTwice.test(violation))).toEqual([]);
});
