import { randomUUID } from 'node:crypto';
import type { RecordStore } from '../../../src/core/store.ts';
import { memoryStore } from '../../../src/stores/memory.ts';

/** The tables that tests have made, by name. */
export const tables = new Map<string, RecordStore>();

/** As in DynamoDB. */
const MAX_OUTCOME_BYTES = 392 * 1024;

/** `test/support/table.ts` for mutants: nothing of DynamoDB is in what is mutated, and a table of it takes time. */
export function useTable() {
  const tableName = `test-${randomUUID()}`;
  tables.set(tableName, { ...memoryStore(), maxOutcomeBytes: MAX_OUTCOME_BYTES });
  return { tableName, client: undefined };
}

export function localClient(): never {
  throw new Error('a test that needs DynamoDB itself does not belong into the tests for mutants');
}
