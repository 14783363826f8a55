/** Whether a transaction was cancelled because the condition of this item of it did not hold. By name: with the SDK and without. */
export function isConditionFailed(error: unknown, index: number): boolean {
  const { name, CancellationReasons } = (error ?? {}) as {
    readonly name?: string;
    readonly CancellationReasons?: readonly { readonly Code?: string }[];
  };
  return name === 'TransactionCanceledException' && CancellationReasons?.[index]?.Code === 'ConditionalCheckFailed';
}
