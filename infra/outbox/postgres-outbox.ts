import type pg from 'pg';
import type { PaymentEvent } from './payment-event.ts';

/**
 * Announces an event, in the transaction of what it is about: both are there, or neither. It never takes the place of another
 * event.
 */
export async function announce(tx: pg.PoolClient, event: PaymentEvent): Promise<void> {
  await tx.query('INSERT INTO outbox (id, event) VALUES ($1, $2)', [event.id, JSON.stringify(event)]);
}

export interface OutboxEvent {
  readonly id: string;
  /** As it was written. */
  readonly event: string;
}

/** The oldest events that no other transaction has taken. They are locked until this one ends. */
export async function takeEvents(tx: pg.PoolClient, most: number): Promise<readonly OutboxEvent[]> {
  const { rows } = await tx.query<OutboxEvent>(
    'SELECT id, event FROM outbox ORDER BY position LIMIT $1 FOR UPDATE SKIP LOCKED',
    [most],
  );
  return rows;
}

/** They are published: what the table has is still to be published. */
export async function removeEvents(tx: pg.PoolClient, ids: readonly string[]): Promise<void> {
  await tx.query('DELETE FROM outbox WHERE id = ANY ($1)', [ids]);
}
