import { idempotentTransaction, type PostgresStore } from 'middy-idempotency/postgres';
import type { Pool, PoolClient } from 'pg';

/** The table of the payments: its unique key makes an insert happen once. */
export const PAYMENTS = `CREATE TABLE payments (
  idempotency_key text PRIMARY KEY,
  amount integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
)`;

export interface Payment {
  readonly key: string;
  readonly amount: number;
}

/**
 * With the unique key alone. A duplicate inserts nothing, and that is all it knows:
 * - the same key with another amount is taken for a duplicate;
 * - there is no response to give again, but what can be read from the row;
 * - what else the request does (a ledger entry, a message) needs a unique key of its own.
 */
export async function payByUniqueKey(pool: Pool, { key, amount }: Payment): Promise<'paid' | 'duplicate'> {
  const { rowCount } = await pool.query(
    'INSERT INTO payments (idempotency_key, amount) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [key, amount],
  );
  return rowCount === 1 ? 'paid' : 'duplicate';
}

/** The same table, with a fingerprint, a stored response and any number of writes: all of it commits once. */
export function paymentsIn(store: PostgresStore<PoolClient>) {
  return idempotentTransaction(
    async (tx: PoolClient, _, { key, amount }: Payment) => {
      const { rows } = await tx.query(
        'INSERT INTO payments (idempotency_key, amount) VALUES ($1, $2) RETURNING created_at',
        [key, amount],
      );
      return { key, amount, createdAt: String(rows[0].created_at.toISOString()) };
    },
    { store, operation: 'pay', key: ({ key }) => key, fingerprint: ({ amount }) => amount },
  );
}
