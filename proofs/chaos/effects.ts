import { type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';

/** The handlers' own table: how often the effect of each key has happened. */
export const EFFECTS_TABLE = 'chaos-effects';

export async function timesOf(client: DynamoDBClient, key: string): Promise<number> {
  const command = new GetItemCommand({ TableName: EFFECTS_TABLE, Key: { id: { S: key } }, ConsistentRead: true });
  const { Item } = await client.send(command);
  return Number(Item?.['times']?.N ?? 0);
}
