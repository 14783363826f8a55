import { IdempotencyError } from './errors.ts';
import { identify } from './fingerprint/identity.ts';
import { type RequestOptions, requireOperation, resolveRequestOptions } from './fingerprint/options.ts';

/** What of a guard's options makes the id of a record; all of the guard's options will do. */
export type RecordIdOptions<Args extends readonly unknown[]> = Pick<
  RequestOptions<Args>,
  'key' | 'scope' | 'operation'
>;

/**
 * The id of the record that a guard with these options keeps of a request: for `store.read(id)`, when a message was found in
 * a dead-letter queue and somebody wants to know how far it came.
 *
 * @param args what the guarded function was given; of Middy's handler, the event
 * @throws TypeError that names the wrong option; `operation` is required outside of the function's own Lambda
 * @throws IdempotencyError `KEY_MISSING`, `SCOPE_MISSING` or `KEY_INVALID`, as the guard itself does: there is no record
 */
export function recordId<Args extends readonly unknown[] = readonly [event: unknown]>(
  { key, scope, operation = process.env['AWS_LAMBDA_FUNCTION_NAME'] }: RecordIdOptions<Args>,
  ...args: Args
): string {
  requireOperation(operation);
  const options = resolveRequestOptions({ key, ...(scope !== undefined && { scope }) } as RequestOptions<never>);
  const identity = identify(options, operation, args);
  if (identity === undefined) throw new IdempotencyError('KEY_MISSING', 'This request has no idempotency key.');
  return identity.id;
}
