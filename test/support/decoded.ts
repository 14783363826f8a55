import { checkpointTexts, type IdempotencyRecord } from '../../src/core/record/record.ts';

/** The record with its checkpoints decoded. */
export async function decoded(record: IdempotencyRecord | undefined): Promise<IdempotencyRecord | undefined> {
  if (record === undefined || !('checkpoints' in record) || record.checkpoints === undefined) return record;
  return { ...record, checkpoints: await checkpointTexts(record.checkpoints) };
}
