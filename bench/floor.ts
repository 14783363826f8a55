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

/** The same with the conditions that make a claim and its completion what they are: how much of the latency is theirs. */
export function twoConditionalWrites(client: DynamoDBClient, tableName: string, items: readonly Item[]): Handler {
  const [claimed = {}, completed = {}] = items;
  const returned = { TableName: tableName, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } as const;
  return bareHandler(async (event) => {
    const id = { S: `conditional#${event.headers['idempotency-key']}` };
    await client.send(
      new PutItemCommand({ ...returned, Item: { ...claimed, id }, ConditionExpression: 'attribute_not_exists(id)' }),
    );
    await client.send(
      new PutItemCommand({
        ...returned,
        Item: { ...completed, id },
        ConditionExpression: '#owner = :owner AND #status = :status',
        ExpressionAttributeNames: { '#owner': 'owner', '#status': 'status' },
        ExpressionAttributeValues: { ':owner': claimed['owner'] ?? { S: '' }, ':status': { S: 'IN_PROGRESS' } },
      }),
    );
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
