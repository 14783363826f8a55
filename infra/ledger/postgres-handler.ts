import { postgresStore } from 'middy-idempotency/postgres';
import { requireEnvironment } from '../payments/environment.ts';
import { logIdempotencyEvent } from '../payments/log.ts';
import { postgresPool } from '../postgres/pool.ts';
import { createPostgresLedgerConsumer } from './postgres-consumer.ts';

/** The Lambda function of `handler.ts` in PostgreSQL. Needs `DATABASE_URL` in its environment. */
export const handler = createPostgresLedgerConsumer({
  store: postgresStore({ client: postgresPool(requireEnvironment('DATABASE_URL')) }),
  onEvent: logIdempotencyEvent,
});
