import { DeleteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import type { SqlItem } from 'middy-idempotency/postgres';
import type pg from 'pg';
import { dynamoDBLedger } from '../../infra/ledger/dynamodb-ledger.ts';
import type { Backend } from '../../infra/local/backend.ts';
import { dynamoDBPipeline } from '../../infra/local/dynamodb-backend.ts';
import { type ExampleTables, ensureTables } from '../../infra/local/example-tables.ts';
import { openPostgres } from '../../infra/local/postgres-backend.ts';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import { localDynamoDB } from '../../tools/clients.ts';

/** The database of a run. `Item` is one write of its transactions. */
export interface Database<Item> extends Pick<Backend<Item>, 'store' | 'payments' | 'ledger' | 'pipeline'> {
  /** @returns the status that the record had, if it was there */
  deleteRecord(id: string): Promise<string | undefined>;
  close(): Promise<void>;
}

export async function openDynamoDB(endpoint: string, tables: ExampleTables): Promise<Database<TransactionItem>> {
  const client = localDynamoDB(endpoint);
  const documents = DynamoDBDocumentClient.from(client);
  await ensureTables(client, tables);
  return {
    store: dynamoDBStore({ tableName: tables.idempotency, client }),
    payments: dynamoDBPayments({ tableName: tables.payments, client }),
    ledger: dynamoDBLedger({ tableName: tables.ledger, client }),
    pipeline: await dynamoDBPipeline({ endpoint, client, tables }),
    async deleteRecord(id) {
      const request = new DeleteCommand({ TableName: tables.idempotency, Key: { id }, ReturnValues: 'ALL_OLD' });
      return (await documents.send(request)).Attributes?.['status'];
    },
    close: async () => client.destroy(),
  };
}

/** `schema`: of this run's own. */
export async function openPostgreSQL(url: string, schema: string): Promise<Database<SqlItem<pg.PoolClient>>> {
  const { pool, ...database } = await openPostgres(url, schema);
  return {
    ...database,
    async deleteRecord(id) {
      const { rows } = await pool.query('DELETE FROM idempotency WHERE id = $1 RETURNING status', [id]);
      return rows[0]?.status;
    },
    close: () => pool.end(),
  };
}
