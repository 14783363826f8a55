/**
 * What the handlers of a schedule write with `transact`: a counter of each key, and a condition that fails. Entries of
 * `TransactItems`, as lib-dynamodb takes them.
 */
const TABLE = 'effects';

export function effectOf(key: string): object {
  return {
    Update: {
      TableName: TABLE,
      Key: { id: key },
      UpdateExpression: 'ADD #times :one',
      ExpressionAttributeNames: { '#times': 'times' },
      ExpressionAttributeValues: { ':one': 1 },
    },
  };
}

export function refusedItem(): object {
  return {
    ConditionCheck: { TableName: TABLE, Key: { id: 'nothing' }, ConditionExpression: 'attribute_exists(id)' },
  };
}

export function isRefused(item: object): boolean {
  return 'ConditionCheck' in item;
}
