/** What every write of a transaction may have. Values are plain: those of `@aws-sdk/lib-dynamodb`. */
export interface TransactionWrite {
  readonly TableName: string | undefined;
  readonly ConditionExpression?: string | undefined;
  readonly ExpressionAttributeNames?: Record<string, string> | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: a value of any type that DynamoDB has
  readonly ExpressionAttributeValues?: Record<string, any> | undefined;
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE' | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a value of any type that DynamoDB has
type Values = Record<string, any> | undefined;

/** One write of a transaction: an entry of `TransactItems` of lib-dynamodb's `TransactWriteCommand`. */
export interface TransactionItem {
  readonly ConditionCheck?:
    | (TransactionWrite & { readonly Key: Values; readonly ConditionExpression: string | undefined })
    | undefined;
  readonly Put?: (TransactionWrite & { readonly Item: Values }) | undefined;
  readonly Delete?: (TransactionWrite & { readonly Key: Values }) | undefined;
  readonly Update?:
    | (TransactionWrite & { readonly Key: Values; readonly UpdateExpression: string | undefined })
    | undefined;
}
