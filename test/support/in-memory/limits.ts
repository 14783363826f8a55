import type { RecordStore } from '../../../src/core/record/store.ts';
import { IdempotencyError } from '../../../src/errors.ts';

/** As in DynamoDB. */
const MAX_OUTCOME_BYTES = 392 * 1024;
const MAX_ITEM_BYTES = 400 * 1024;
const MAX_RECORD_BYTES = 16 * 1024 * 1024;

const bytesOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value));

/** The tables that tests have made, by name. */
export const tables = new Map<string, RecordStore>();

export interface Client {
  /** Where a proxy of `fault-proxy.ts` is to be asked about each request. */
  readonly endpoint?: string;
  readonly maxAttempts?: number;
}

export function needsDynamoDB(): never {
  throw new Error('This test needs DynamoDB itself: name it in LEFT_OUT of vitest.fast.config.ts.');
}

/** With the limits of DynamoDB, which tests have in mind. */
export function limited(store: RecordStore): RecordStore {
  return {
    ...store,
    maxOutcomeBytes: MAX_OUTCOME_BYTES,
    async replace(record, expected) {
      // Large checkpoints have items of their own.
      const item = { ...record, checkpoints: undefined };
      const fits = bytesOf(item) <= MAX_ITEM_BYTES && bytesOf(record) <= MAX_RECORD_BYTES;
      if (fits) return store.replace(record, expected);
      const details = { retryable: false, recordRefused: true };
      throw new IdempotencyError('STORE_UNAVAILABLE', 'The record is too large.', details);
    },
  };
}

export function localClient(client: Client = {}): Client {
  return client;
}
