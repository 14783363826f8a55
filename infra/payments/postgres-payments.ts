import type { SqlItem } from 'middy-idempotency/postgres';
import type pg from 'pg';
import { announce } from '../outbox/postgres-outbox.ts';
import { inTransaction } from '../postgres/pool.ts';
import type { Payment, PaymentNotes } from './payment.ts';
import { afterRefusal, type Payments, type Write } from './payments.ts';
import { decideRefund, newRefund } from './refund-decision.ts';
import { WriteRefusedError } from './transaction.ts';

/** A pool, or the client of a transaction. */
type Queries = Pick<pg.PoolClient, 'query'>;

/** Payments in the tables of `schema.sql`. */
export function postgresPayments(pool: pg.Pool): Payments<SqlItem<pg.PoolClient>> {
  /** One statement, which changes the payment or finds another state. */
  async function update(id: string, writtenBy: string, change: string, values: readonly unknown[]): Promise<Write> {
    const payment = await one(pool, `UPDATE payments SET version = version + 1, written_by = $2, ${change} ${SHOWN}`, [
      id,
      writtenBy,
      ...values,
    ]);
    return payment === undefined ? afterRefusal(await find(pool, id), writtenBy) : { applied: true, payment };
  }

  return {
    find: (id) => find(pool, id),
    async insert(payment) {
      if (await isInserted(pool, payment)) return { applied: true, payment };
      return afterRefusal(await find(pool, payment.id), payment.writtenBy);
    },
    insertion: (payment) => async (tx) => {
      if (!(await isInserted(tx, payment))) throw new WriteRefusedError(`The payment ${payment.id} exists.`);
    },
    payout: (paymentId, refundId, paidOutAt) => async (tx) => {
      const { rowCount } = await tx.query(
        'UPDATE refunds SET paid_out_at = $3 WHERE payment = $1 AND id = $2 AND paid_out_at IS NULL',
        [paymentId, refundId, paidOutAt],
      );
      if (rowCount === 0) throw new WriteRefusedError(`The refund ${refundId} was paid out before.`);
    },
    announcement: (event) => (tx) => announce(tx, event),
    replaceNotes: ({ id, version }, notes, writtenBy) =>
      update(id, writtenBy, 'notes = $3 WHERE id = $1 AND version = $4', [notesOf(notes), version]),
    beginVoid: ({ id, version }, writtenBy) =>
      update(id, writtenBy, "status = 'voiding' WHERE id = $1 AND status = 'authorized' AND version = $3", [version]),
    finishVoid: (id, writtenBy) => update(id, writtenBy, "status = 'voided' WHERE id = $1 AND status = 'voiding'", []),
    refund: (paymentId, order) =>
      inTransaction(pool, async (tx) => {
        // Other refunds of this payment wait here: what is decided below holds until COMMIT. The next statement sees
        // what they have written.
        await tx.query('SELECT FROM payments WHERE id = $1 FOR UPDATE', [paymentId]);
        const payment = await find(tx, paymentId);
        if (payment === undefined) return { kind: 'not-found' };
        const decision = decideRefund(payment, order);
        if (decision.kind === 'recorded') return { ...decision, payment };
        if (decision.kind === 'refused') return decision;
        const refund = newRefund(order, decision.amount);
        await tx.query(
          'INSERT INTO refunds (payment, id, amount, created_at, request_digest) VALUES ($1, $2, $3, $4, $5)',
          [paymentId, refund.id, refund.amount, refund.createdAt, refund.requestDigest],
        );
        await tx.query(
          `UPDATE payments SET amount_refunded = amount_refunded + $2, version = version + 1, written_by = $3
           WHERE id = $1`,
          [paymentId, refund.amount, refund.id],
        );
        return { kind: 'recorded', payment: (await find(tx, paymentId)) ?? payment, refund };
      }),
  };
}

/** A payment as the API knows it. */
const COLUMNS = `id, status, amount, amount_refunded AS "amountRefunded", currency, source, notes,
  charge_id AS "chargeId", created_at AS "createdAt", request_digest AS "requestDigest", version, written_by AS "writtenBy",
  COALESCE((
    SELECT json_agg(json_strip_nulls(json_build_object('id', r.id, 'amount', r.amount, 'createdAt', r.created_at,
      'requestDigest', r.request_digest, 'paidOutAt', r.paid_out_at)) ORDER BY r.created_at, r.id)
    FROM refunds r WHERE r.payment = payments.id
  ), '[]') AS refunds`;
const SHOWN = `RETURNING ${COLUMNS}`;

function find(queries: Queries, id: string): Promise<Payment | undefined> {
  return one(queries, `SELECT ${COLUMNS} FROM payments WHERE id = $1`, [id]);
}

async function one(queries: Queries, text: string, values: readonly unknown[]): Promise<Payment | undefined> {
  const { rows } = await queries.query<Row>(text, [...values]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const { notes, ...payment } = row;
  return { ...payment, ...notes };
}

type Row = Omit<Payment, keyof PaymentNotes> & { readonly notes: PaymentNotes };

/** Whether it was written: its id may be taken. */
async function isInserted(queries: Queries, payment: Payment): Promise<boolean> {
  const { id, status, amount, amountRefunded, currency, source, chargeId, createdAt, requestDigest } = payment;
  const { rowCount } = await queries.query(
    `INSERT INTO payments (id, status, amount, amount_refunded, currency, source, notes, charge_id, created_at,
       request_digest, version, written_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (id) DO NOTHING`,
    [
      ...[id, status, amount, amountRefunded, currency, source, notesOf(payment), chargeId, createdAt, requestDigest],
      ...[payment.version, payment.writtenBy],
    ],
  );
  return rowCount === 1;
}

function notesOf({ description, metadata }: PaymentNotes): string {
  return JSON.stringify({ description, metadata });
}
