import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';

/** Whether a transaction was cancelled because the condition of this item of it did not hold. */
export function isConditionFailed(error: unknown, index: number): boolean {
  if (!(error instanceof TransactionCanceledException)) return false;
  return error.CancellationReasons?.[index]?.Code === 'ConditionalCheckFailed';
}
