/**
 * What handlers write with `transact`, as entries of `TransactItems`: a counter of each key, without a condition of its own, so
 * that nothing but the record keeps it from happening twice.
 */
export function effectOf(tableName: string, key: string) {
  return {
    Update: {
      TableName: tableName,
      Key: { id: key },
      UpdateExpression: 'ADD #times :one',
      ExpressionAttributeNames: { '#times': 'times' },
      ExpressionAttributeValues: { ':one': 1 },
    },
  };
}

/** A condition of the handler that fails. */
export function refusedItem(tableName: string) {
  return {
    ConditionCheck: { TableName: tableName, Key: { id: 'nothing' }, ConditionExpression: 'attribute_exists(id)' },
  };
}
