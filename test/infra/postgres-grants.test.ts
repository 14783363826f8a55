import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { postgresSchema, postgresStore } from 'middy-idempotency/postgres';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createPostgresLedgerConsumer } from '../../infra/ledger/postgres-consumer.ts';
import { createPostgresPublisher } from '../../infra/outbox/postgres-publisher.ts';
import { createPaymentsHandler } from '../../infra/payments/api.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import { postgresPayments } from '../../infra/payments/postgres-payments.ts';
import { postgresPool } from '../../infra/postgres/pool.ts';
import {
  createQueue,
  drainDeadLetters,
  type LocalQueue,
  type LocalQueues,
  startLocalQueues,
} from '../../tools/queues.ts';
import { sqsRecord } from '../support/event-sources.ts';
import { lambdaContext } from '../support/harness.ts';
import { client, headerOf, PAYMENT, verdictOf } from './requests.ts';

const ROLES = ['payments_function', 'publisher_function', 'ledger_function'] as const;
const sql = (name: string) => readFileSync(new URL(`../../infra/postgres/${name}.sql`, import.meta.url), 'utf8');

/** Roles are of the whole server: these tables are in a database of their own, and the roles go with it. */
const database = `grants_${randomUUID().replaceAll('-', '')}`;
const password = randomUUID();
const admin = postgresPool(inject('postgresUrl'), { max: 1 });
let owner: pg.Pool;
const pools: pg.Pool[] = [];
let queues: LocalQueues;
let queue: LocalQueue;

function poolOf(role?: (typeof ROLES)[number]): pg.Pool {
  const url = new URL(inject('postgresUrl'));
  url.pathname = database;
  if (role !== undefined) Object.assign(url, { username: role, password });
  const pool = postgresPool(url.href);
  pools.push(pool);
  return pool;
}

beforeAll(async () => {
  queues = await startLocalQueues();
  queue = await createQueue(queues, 'granted', { visibilitySeconds: 30, maxReceiveCount: 3 });
  await admin.query(`CREATE DATABASE ${database}`);
  for (const role of ROLES) await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);
  owner = poolOf();
  await owner.query(postgresSchema());
  await owner.query(sql('schema'));
  await owner.query(sql('grants'));
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await admin.query(`DROP DATABASE ${database} WITH (FORCE)`);
  for (const role of ROLES) await admin.query(`DROP ROLE ${role}`);
  await admin.end();
  await queues.stop();
});

describe('the grants of the functions', () => {
  it('are enough for all that they do', async () => {
    const pool = poolOf('payments_function');
    const send = client(
      createPaymentsHandler({
        store: postgresStore({ client: pool }),
        payments: postgresPayments(pool),
        processor: fakeProcessor(),
        scope: 'anonymous',
      }),
    );
    const path = headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    const refund = { path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } };
    expect([await send(refund), await send(refund)].map(verdictOf)).toEqual(['201', '201']);
    const own = { method: 'PUT', path: `/payments/${randomUUID()}`, body: PAYMENT, key: randomUUID() };
    expect(verdictOf(await send({ ...own, headers: { 'if-none-match': '*' } }))).toBe('201');
    expect(verdictOf(await send({ ...own, method: 'DELETE', body: undefined }))).toBe('204');

    const publish = createPostgresPublisher({
      pool: poolOf('publisher_function'),
      client: queues.client,
      queueUrl: queue.url,
    });
    expect(await publish()).toBe(2);
    const consume = createPostgresLedgerConsumer({ store: postgresStore({ client: poolOf('ledger_function') }) });
    const messages = await drainDeadLetters({ ...queue, deadLetterUrl: queue.url });
    const batch = { Records: messages.map((message) => sqsRecord(message)) };
    expect(await consume(batch, lambdaContext())).toEqual({ batchItemFailures: [] });
    expect((await owner.query('SELECT FROM ledger')).rowCount).toBe(4);
  });

  it.each([
    ['payments_function', 'DELETE FROM payments'],
    ['payments_function', 'SELECT FROM outbox'],
    ['payments_function', 'SELECT FROM ledger'],
    ['publisher_function', 'SELECT FROM payments'],
    ['publisher_function', 'SELECT FROM idempotency'],
    ['ledger_function', 'UPDATE ledger SET amount = 0'],
    ['ledger_function', 'DELETE FROM ledger'],
  ] as const)('let %s not do this: %s', async (role, statement) => {
    await expect(poolOf(role).query(statement)).rejects.toMatchObject({ code: '42501' });
  });
});
