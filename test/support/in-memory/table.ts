import { randomUUID } from 'node:crypto';
import { memoryStore } from '../../../src/stores/memory.ts';
import { limited, localClient, needsDynamoDB, tables } from './limits.ts';

export type { Client } from './limits.ts';
export { localClient, tables };

/** `test/support/table.ts` without DynamoDB: for the fast loop, and for mutants. */
export function useTable() {
  const tableName = `test-${randomUUID()}`;
  tables.set(tableName, limited(memoryStore()));
  return { tableName, client: { send: needsDynamoDB } };
}
