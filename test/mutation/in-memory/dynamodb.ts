import type { RecordStore } from '../../../src/core/store.ts';
import { IdempotencyError } from '../../../src/errors.ts';
import { tables } from './table.ts';

/** `dynamoDBStore` for mutants: the same contract, in memory. */
export function dynamoDBStore({ tableName }: { readonly tableName: string }): RecordStore {
  const refused = async () => {
    throw new IdempotencyError('STORE_UNAVAILABLE', `There is no table ${tableName}.`, { retryable: false });
  };
  return tables.get(tableName) ?? { insert: refused, replace: refused, remove: refused, read: refused };
}
