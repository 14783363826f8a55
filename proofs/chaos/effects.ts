import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { TransactionItem } from '../../src/stores/dynamodb.ts';
import { effectOf, refusedItem } from '../lib/effects.ts';
import type { StoreName } from './store.ts';

/** The handlers' own table: how often the effect of each key has happened. */
export const EFFECTS_TABLE = 'chaos-effects';

/** What a handler writes with its response, as the store's own database takes it. */
export function itemsFor(store: StoreName, key: string, isRefused: boolean): TransactionItem[] {
  const items =
    store === 'postgres'
      ? [inSql('key', key), ...(isRefused ? [inSql('key, refused', key)] : [])]
      : [effectOf(EFFECTS_TABLE, key), ...(isRefused ? [refusedItem(EFFECTS_TABLE)] : [])];
  return items as TransactionItem[];
}

interface SqlClient {
  query(text: string, values: string[]): Promise<unknown>;
}

function inSql(columns: string, key: string) {
  const values = columns.split(', ').map(() => '$1');
  const statement = `insert into "${EFFECTS_TABLE}" (${columns}) values (${values.join(', ')})`;
  return (tx: SqlClient) => tx.query(statement, [key]);
}

export async function timesOf(client: DynamoDBClient, key: string): Promise<number> {
  const command = new GetItemCommand({ TableName: EFFECTS_TABLE, Key: { id: { S: key } }, ConsistentRead: true });
  const { Item } = await client.send(command);
  return Number(Item?.['times']?.N ?? 0);
}
