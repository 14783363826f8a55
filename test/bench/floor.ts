import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { RESPONSE } from './event.ts';
import type { Item } from './instant-client.ts';
import { bareHandler, type Handler } from './sides.ts';

/** The same items as ours, written without a condition. */
export function twoWrites(client: DynamoDBClient, tableName: string, items: readonly Item[]): Handler {
  return bareHandler(async (event) => {
    const id = { S: `floor#${event.headers['idempotency-key']}` };
    for (const item of items) await client.send(new PutItemCommand({ TableName: tableName, Item: { ...item, id } }));
    return RESPONSE;
  });
}

/** A put that finds the item in its way, and brings it along. */
export function oneWrite(client: DynamoDBClient, tableName: string, [item]: readonly Item[]): Handler {
  return bareHandler(async (event) => {
    const command = new PutItemCommand({
      TableName: tableName,
      Item: { ...item, id: { S: `floor#${event.headers['idempotency-key']}` } },
      ConditionExpression: 'attribute_not_exists(id)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    await client.send(command).catch((error) => {
      if (error.name !== 'ConditionalCheckFailedException') throw error;
    });
    return RESPONSE;
  });
}
