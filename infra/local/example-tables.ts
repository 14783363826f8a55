import { DescribeTableCommand, type DynamoDBClient, ResourceInUseException } from '@aws-sdk/client-dynamodb';
import { createTable, type TableSchema } from '../../tools/tables.ts';
import { OUTBOX_TTL_ATTRIBUTE } from '../outbox/outbox.ts';

/** The names of the example's tables. */
export interface ExampleTables {
  readonly idempotency: string;
  readonly payments: string;
  readonly ledger: string;
}

/** Makes those that are not there yet. */
export async function ensureTables(client: DynamoDBClient, tables: ExampleTables): Promise<void> {
  const schemas: readonly TableSchema[] = [
    { tableName: tables.idempotency, partitionKey: 'id', ttlAttribute: 'expiration' },
    { tableName: tables.payments, partitionKey: 'id', ttlAttribute: OUTBOX_TTL_ATTRIBUTE, stream: true },
    { tableName: tables.ledger, partitionKey: 'account', sortKey: 'entry' },
  ];
  for (const schema of schemas) await ensureTable(client, schema);
}

async function ensureTable(client: DynamoDBClient, schema: TableSchema): Promise<void> {
  try {
    await createTable(client, schema);
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
}

/** @throws Error when the table has no stream: it was made by something else */
export async function streamArnOf(client: DynamoDBClient, TableName: string): Promise<string> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName }));
  if (Table?.LatestStreamArn !== undefined) return Table.LatestStreamArn;
  throw new Error(`The table ${TableName} has no stream. Delete it: it is made anew, with one.`);
}
