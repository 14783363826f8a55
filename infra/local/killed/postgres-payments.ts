import { postgresStore } from 'middy-idempotency/postgres';
import { requireEnvironment } from '../../payments/environment.ts';
import { postgresPayments } from '../../payments/postgres-payments.ts';
import { postgresPool } from '../../postgres/pool.ts';
import { killedPayments } from './payments.ts';

const pool = postgresPool(requireEnvironment('DATABASE_URL'));

export const handler = killedPayments({ store: postgresStore({ client: pool }), payments: postgresPayments(pool) });
