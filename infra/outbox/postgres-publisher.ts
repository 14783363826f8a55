import { SendMessageBatchCommand } from '@aws-sdk/client-sqs';
import type pg from 'pg';
import { inTransaction } from '../postgres/pool.ts';
import { removeEvents, takeEvents } from './postgres-outbox.ts';
import type { PublisherOptions } from './publisher.ts';

/** SQS takes ten at a time. */
const BATCH_SIZE = 10;

/**
 * Sends the outbox's events from its table to a queue, at least once, until none is left. Several can run at the same time: each
 * skips the events that another one is sending. If a publisher dies after sending, its transaction is rolled back, and the
 * events are sent again. It needs no guard of its own: every consumer recognises an event by its id.
 */
export function createPostgresPublisher({ pool, client, queueUrl }: PublisherOptions & { readonly pool: pg.Pool }) {
  const publishBatch = () =>
    inTransaction(pool, async (tx) => {
      const events = await takeEvents(tx, BATCH_SIZE);
      if (events.length === 0) return { sent: 0, failed: [] };
      const Entries = events.map(({ id, event }) => ({ Id: id, MessageBody: event }));
      const { Successful = [], Failed = [] } = await client.send(
        new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
      );
      await removeEvents(
        tx,
        Successful.map(({ Id = '' }) => Id),
      );
      return { sent: Successful.length, failed: Failed };
    });

  /** @returns how many were sent. @throws Error where the queue has refused some: they stay in the outbox */
  return async (): Promise<number> => {
    for (let total = 0; ; ) {
      const { sent, failed } = await publishBatch();
      total += sent;
      const [first] = failed;
      if (first !== undefined)
        throw new Error(`The queue has refused ${failed.length} events, ${first.Id}: ${first.Code}`);
      if (sent < BATCH_SIZE) return total;
    }
  };
}
