/** A write in a transaction of SQL found another state than it expects. It ends the transaction. */
export class WriteRefusedError extends Error {
  override readonly name = 'WriteRefusedError';
}

/**
 * Whether a transaction failed because its first write was refused. Nothing of it was written. DynamoDB says so by a reason for
 * each item. By name: with the SDK and without.
 */
export function isFirstRefused(error: unknown): boolean {
  if (error instanceof WriteRefusedError) return true;
  const { name, CancellationReasons } = (error ?? {}) as {
    readonly name?: string;
    readonly CancellationReasons?: readonly { readonly Code?: string }[];
  };
  return name === 'TransactionCanceledException' && CancellationReasons?.[0]?.Code === 'ConditionalCheckFailed';
}
