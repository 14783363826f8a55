import { dynamoDBStore } from 'middy-idempotency/dynamodb/lite';
import { requireEnvironment } from '../payments/environment.ts';
import { logIdempotencyEvent } from '../payments/log.ts';
import { bookingWrites } from './booking-writes.ts';
import { createLedgerConsumer } from './consumer.ts';

const tableName = requireEnvironment('LEDGER_TABLE_NAME');

/** The Lambda function of `handler.ts` without the SDK: its only effects are in the store's transactions. */
export const handler = createLedgerConsumer({
  store: dynamoDBStore({ tableName: requireEnvironment('IDEMPOTENCY_TABLE_NAME') }),
  ledger: { booking: (event) => bookingWrites(tableName, event) },
  onEvent: logIdempotencyEvent,
});
