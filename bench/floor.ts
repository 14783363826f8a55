import { type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { RESPONSE } from './event.ts';
import { type Item, onWire } from './instant-client.ts';
import { rawRequests } from './raw-requests.ts';
import { bareHandler, type Handler } from './sides.ts';

/** The writes that are made at the least: two puts of our items, or one that finds the item in its way. */
interface Put {
  readonly TableName: string;
  readonly Item: Item;
  readonly ConditionExpression?: string;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD';
}

function putsOf(tableName: string, items: readonly Item[], key: string | undefined): Put[] {
  const puts = items.map((item) => ({ TableName: tableName, Item: { ...item, id: { S: `floor#${key}` } } }));
  if (puts.length > 1) return puts;
  const condition = {
    ConditionExpression: 'attribute_not_exists(id)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  } as const;
  return puts.map((put) => ({ ...put, ...condition }));
}

/** By the SDK. */
export function bareSdk(client: DynamoDBClient, tableName: string, items: readonly Item[]): Handler {
  return bareHandler(async (event) => {
    for (const put of putsOf(tableName, items, event.headers['idempotency-key'])) {
      await client.send(new PutItemCommand(put)).catch((error) => {
        if (error.name !== 'ConditionalCheckFailedException') throw error;
      });
    }
    return RESPONSE;
  });
}

/** By `node:https`. */
export function bareRequests(endpoint: string, tableName: string, items: readonly Item[]): Handler {
  const request = rawRequests(endpoint);
  return bareHandler(async (event) => {
    for (const put of putsOf(tableName, items, event.headers['idempotency-key'])) {
      const status = await request('PutItem', JSON.stringify({ ...put, Item: onWire(put.Item) }));
      if (status !== 200 && items.length > 1) throw new Error(`status ${status}`);
    }
    return RESPONSE;
  });
}

/** By the SDK, with the conditions that make a claim and its completion what they are: how much of the latency is theirs. */
export function bareSdkWithConditions(client: DynamoDBClient, tableName: string, items: readonly Item[]): Handler {
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
