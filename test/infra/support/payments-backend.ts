import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DeleteCommand, DynamoDBDocumentClient, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { RecordStore } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { postgresSchema, postgresStore } from 'middy-idempotency/postgres';
import type pg from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import { type PaymentEvent, parsePaymentEvent } from '../../../infra/outbox/payment-event.ts';
import { dynamoDBPayments } from '../../../infra/payments/dynamodb-payments.ts';
import type { Payments } from '../../../infra/payments/payments.ts';
import { postgresPayments } from '../../../infra/payments/postgres-payments.ts';
import { postgresPool } from '../../../infra/postgres/pool.ts';
import { useTable } from '../../support/table.ts';

/** The database behind the payments API of a test file. */
interface PaymentsBackend {
  readonly store: RecordStore<unknown>;
  readonly payments: Payments;
  /** What the outbox has. */
  announced(): Promise<PaymentEvent[]>;
  /** Makes a record look as if its process had died before it could store the outcome, long ago. */
  forgetOutcome(recordId: string | undefined): Promise<unknown>;
  deleteRecord(recordId: string | undefined): Promise<unknown>;
}

function inDynamoDB(): PaymentsBackend {
  const records = useTable();
  const table = useTable();
  return {
    store: dynamoDBStore(records),
    payments: dynamoDBPayments(table),
    async announced() {
      const documents = DynamoDBDocumentClient.from(table.client);
      const { Items = [] } = await documents.send(new ScanCommand({ TableName: table.tableName }));
      return Items.filter(({ id }) => String(id).startsWith('outbox#')).map(({ event }) => parsePaymentEvent(event));
    },
    forgetOutcome: (id) =>
      DynamoDBDocumentClient.from(records.client).send(
        new UpdateCommand({
          TableName: records.tableName,
          Key: { id },
          UpdateExpression: 'SET #status = :inProgress, leaseUntil = :over REMOVE outcome, encoding',
          ExpressionAttributeNames: { '#status': 'status' },
          ExpressionAttributeValues: { ':inProgress': 'IN_PROGRESS', ':over': 1 },
        }),
      ),
    deleteRecord: (id) =>
      DynamoDBDocumentClient.from(records.client).send(
        new DeleteCommand({ TableName: records.tableName, Key: { id } }),
      ),
  };
}

/** The example's tables in PostgreSQL, in a schema of this test file's own. */
export function usePostgresTables(): pg.Pool {
  const schema = `example_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(inject('postgresUrl'));
  url.searchParams.set('options', `-c search_path=${schema}`);
  const pool = postgresPool(url.href, { max: 20, connectionTimeoutMillis: 10_000 });
  beforeAll(async () => {
    await pool.query(`CREATE SCHEMA ${schema}`);
    await pool.query(postgresSchema());
    await pool.query(readFileSync(new URL('../../../infra/postgres/schema.sql', import.meta.url), 'utf8'));
  });
  afterAll(async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await pool.end();
  });
  return pool;
}

function inPostgres(): PaymentsBackend {
  const pool = usePostgresTables();
  return {
    store: postgresStore({ client: pool }),
    payments: postgresPayments(pool),
    async announced() {
      const { rows } = await pool.query('SELECT event FROM outbox');
      return rows.map(({ event }) => parsePaymentEvent(event));
    },
    forgetOutcome: (id) =>
      pool.query(
        `UPDATE idempotency SET status = 'IN_PROGRESS', lease_until = 1, outcome_type = NULL, outcome = NULL WHERE id = $1`,
        [id],
      ),
    deleteRecord: (id) => pool.query('DELETE FROM idempotency WHERE id = $1', [id]),
  };
}

/** By `STORE`: `npm run test:postgres` has the tests of the API on PostgreSQL, too. */
export const usePaymentsBackend = process.env['STORE'] === 'postgres' ? inPostgres : inDynamoDB;
