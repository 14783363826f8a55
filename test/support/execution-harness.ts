import type { IdempotencyHandle } from 'middy-idempotency';
import { dynamoDBStore, type TransactionItem } from 'middy-idempotency/dynamodb';
import { useFaultProxy } from './fault-proxy.ts';
import { useGuards } from './harness.ts';
import { localClient } from './table.ts';

export type Handle = IdempotencyHandle<TransactionItem>;
export type Body = (handle: Handle) => Promise<unknown>;

/** A Lambda handler that does it with its handle. */
export const handling =
  (body: Body) =>
  async (_: unknown, { idempotency }: { idempotency: IdempotencyHandle }) =>
    body(idempotency as unknown as Handle);

/** For the tests of what a handle can do: guards, and a store behind a proxy that makes faults. */
export function useExecutions() {
  const guards = useGuards();
  const proxy = useFaultProxy();
  const throughProxy = (maxAttempts = 1) =>
    dynamoDBStore({ ...guards.table, client: localClient({ endpoint: proxy.endpoint, maxAttempts }) });
  return { guards, proxy, throughProxy };
}
