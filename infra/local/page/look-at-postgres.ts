import type pg from 'pg';
import type { Look, SeenPayment } from './look.ts';

export function lookAtPostgres(pool: pg.Pool): Look {
  return {
    async record(id) {
      const { rows } = await pool.query('SELECT * FROM idempotency WHERE id = $1', [id]);
      return rows[0];
    },
    async payments(since) {
      const { rows } = await pool.query<SeenPayment>(
        `SELECT id, amount, currency, charge_id AS "chargeId", created_at AS "createdAt", notes->'metadata' AS metadata
         FROM payments WHERE created_at >= $1`,
        [since],
      );
      return rows;
    },
  };
}
