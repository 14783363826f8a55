import { randomUUID } from 'node:crypto';
import type { IdempotencyEventType } from 'middy-idempotency';
import { postgresStore } from 'middy-idempotency/postgres';
import { beforeEach, describe, expect, it } from 'vitest';
import { balancesOf, trialBalance } from '../../infra/ledger/booking.ts';
import { createPostgresLedgerConsumer } from '../../infra/ledger/postgres-consumer.ts';
import { postgresLedger } from '../../infra/ledger/postgres-ledger.ts';
import type { PaymentEvent } from '../../infra/outbox/payment-event.ts';
import { sqsRecord } from '../support/event-sources.ts';
import { lambdaContext } from '../support/harness.ts';
import { usePostgresTables } from './support/payments-backend.ts';

const pool = usePostgresTables();
beforeEach(() => pool.query('DELETE FROM ledger'));

const entries = () => postgresLedger(pool).read();
const NONE_FAILED = { batchItemFailures: [] };

const captured = (changes: Partial<PaymentEvent> = {}): PaymentEvent => ({
  id: randomUUID(),
  type: 'payment-captured',
  payment: randomUUID(),
  amount: 1999,
  currency: 'EUR',
  occurredAt: '2026-11-25T12:00:00.000Z',
  ...changes,
});

function consumer() {
  const events: IdempotencyEventType[] = [];
  const handler = createPostgresLedgerConsumer({
    store: postgresStore({ client: pool, lockTimeoutMillis: 10_000 }),
    onEvent: ({ type }) => void events.push(type),
  });
  const deliver = (...bodies: readonly unknown[]) =>
    handler({ Records: bodies.map((body) => sqsRecord(body)) }, lambdaContext());
  return { deliver, events };
}

describe('the ledger in PostgreSQL', () => {
  it('books what was paid on both accounts, and what is refunded the other way', async () => {
    const payment = captured();
    const refund = captured({ type: 'payment-refunded', payment: payment.payment, amount: 500 });
    expect(await consumer().deliver(payment, refund)).toEqual(NONE_FAILED);
    expect(await entries()).toHaveLength(4);
    expect(balancesOf(await entries())).toEqual({ 'receivable EUR': 1499, 'sales EUR': -1499 });
    expect(trialBalance(await entries())).toBe(0);
  });

  it('books an event once, whether it is delivered again, or in one batch with itself, or to 8 consumers at once', async () => {
    const payment = captured();
    const { deliver, events } = consumer();
    await deliver(payment);
    expect(await deliver(payment, payment)).toEqual(NONE_FAILED);
    expect(events).toEqual(['completed', 'replayed', 'replayed']);
    const other = captured();
    const answers = await Promise.all(Array.from({ length: 8 }, () => consumer().deliver(other)));
    expect(answers).toEqual(Array(8).fill(NONE_FAILED));
    expect(await entries()).toHaveLength(4);
  });

  it('writes entries and record together: without the one, the other is not there', async () => {
    const payment = captured();
    // The second entry of the event is there already, so that only the first one could be written.
    await pool.query(
      `INSERT INTO ledger VALUES ('sales', $1, -1999, 'EUR', 'payment-captured', $2, '2026-11-25T12:00:00.000Z')`,
      [payment.id, payment.payment],
    );
    await expect(consumer().deliver(payment)).rejects.toThrow();
    expect(await entries()).toHaveLength(1);
    await pool.query('DELETE FROM ledger');
    const { deliver, events } = consumer();
    expect(await deliver(payment)).toEqual(NONE_FAILED);
    expect(events).toEqual(['completed']);
    expect(await entries()).toHaveLength(2);
  });

  it('does not book an event again whose record has ended: its entries are there', async () => {
    const payment = captured();
    await consumer().deliver(payment);
    await pool.query('DELETE FROM idempotency');
    await expect(consumer().deliver(payment)).rejects.toThrow();
    expect(await entries()).toHaveLength(2);
  });

  it('reports a message that is malformed, or contradicts what is booked, as failed, alone', async () => {
    const [good, booked] = [captured(), captured()];
    const { deliver, events } = consumer();
    await deliver(booked);
    const response = await deliver(good, 'no JSON', { ...booked, amount: 1 });
    expect(response.batchItemFailures).toHaveLength(2);
    expect(events).toContain('keyReused');
    expect(balancesOf(await entries())).toEqual({ 'receivable EUR': 3998, 'sales EUR': -3998 });
  });
});
