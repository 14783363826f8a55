import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import type { TransactionItem } from '../../src/stores/dynamodb.ts';

/** The handlers' own table: how often the effect of each key has happened. */
export const EFFECTS_TABLE = 'chaos-effects';

/** Once more: a write without a condition of its own, so that nothing but the record keeps it from happening twice. */
export function effectOf(key: string): TransactionItem {
  return {
    Update: {
      TableName: EFFECTS_TABLE,
      Key: { id: key },
      UpdateExpression: 'ADD #times :one',
      ExpressionAttributeNames: { '#times': 'times' },
      ExpressionAttributeValues: { ':one': 1 },
    },
  };
}

/** A condition of the handler's that fails. */
export function refusedItem(): TransactionItem {
  return {
    ConditionCheck: { TableName: EFFECTS_TABLE, Key: { id: 'nothing' }, ConditionExpression: 'attribute_exists(id)' },
  };
}

export async function timesOf(client: DynamoDBClient, key: string): Promise<number> {
  const command = new GetItemCommand({ TableName: EFFECTS_TABLE, Key: { id: { S: key } }, ConsistentRead: true });
  const { Item } = await client.send(command);
  return Number(Item?.['times']?.N ?? 0);
}
