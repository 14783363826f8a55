import { randomUUID } from 'node:crypto';
import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PaymentEvent } from '../../infra/outbox/payment-event.ts';
import { announce } from '../../infra/outbox/postgres-outbox.ts';
import { createPostgresPublisher } from '../../infra/outbox/postgres-publisher.ts';
import { inTransaction } from '../../infra/postgres/pool.ts';
import {
  createQueue,
  drainDeadLetters,
  type LocalQueue,
  type LocalQueues,
  startLocalQueues,
} from '../../tools/queues.ts';
import { usePostgresTables } from './support/payments-backend.ts';

const pool = usePostgresTables();
let queues: LocalQueues;
let queue: LocalQueue;
beforeAll(async () => {
  queues = await startLocalQueues();
  queue = await createQueue(queues, 'published', { visibilitySeconds: 30, maxReceiveCount: 3 });
});
afterAll(() => queues.stop());
beforeEach(() => pool.query('DELETE FROM outbox'));

const sent = () => drainDeadLetters({ ...queue, deadLetterUrl: queue.url });
const publisher = (client: SQSClient = queues.client) => createPostgresPublisher({ pool, client, queueUrl: queue.url });
const left = async () => (await pool.query('SELECT id FROM outbox ORDER BY position')).rows.map(({ id }) => id);

function event(): PaymentEvent {
  const ids = { id: randomUUID(), payment: randomUUID() };
  return { ...ids, type: 'payment-captured', amount: 1, currency: 'EUR', occurredAt: '2026-11-25T12:00:00.000Z' };
}

async function announced(count: number): Promise<PaymentEvent[]> {
  const events = Array.from({ length: count }, event);
  await inTransaction(pool, async (tx) => {
    for (const one of events) await announce(tx, one);
  });
  return events;
}

/** A client of the queue that waits, or fails, before or after it sends. */
function clientWith(fault: { readonly before?: () => Promise<void>; readonly after?: () => Promise<void> }): SQSClient {
  const client = new SQSClient({
    endpoint: queues.endpoint,
    region: 'local',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  client.middlewareStack.add(
    (next) => async (args) => {
      await fault.before?.();
      const answer = await next(args);
      await fault.after?.();
      return answer;
    },
    { step: 'initialize' },
  );
  return client;
}

describe('the publisher of PostgreSQL', () => {
  it('sends every event, as it was written, and leaves none', async () => {
    const events = await announced(25);
    expect(await publisher()()).toBe(25);
    expect((await sent()).toSorted()).toEqual(events.map((one) => JSON.stringify(one)).toSorted());
    expect(await left()).toEqual([]);
    expect(await publisher()()).toBe(0);
  });

  it('skips what another one is sending, and never waits for it', async () => {
    const events = await announced(11);
    const [taken, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = publisher(
      clientWith({
        async before() {
          taken.resolve();
          await gate.promise;
        },
      }),
    )();
    await taken.promise;
    expect(await publisher()()).toBe(1);
    expect(await sent()).toEqual([JSON.stringify(events[10])]);
    gate.resolve();
    expect(await slow).toBe(10);
    expect(await sent()).toHaveLength(10);
  });

  it('sends each event once, with four of them at once', async () => {
    const events = await announced(100);
    const counts = await Promise.all([1, 2, 3, 4].map(() => publisher()()));
    expect(counts.reduce((sum, count) => sum + count)).toBe(100);
    expect((await sent()).toSorted()).toEqual(events.map((one) => JSON.stringify(one)).toSorted());
  });

  it('sends again what it has sent when it dies before its COMMIT', async () => {
    const events = await announced(1);
    const died = async () => {
      throw new Error('the process died');
    };
    await expect(publisher(clientWith({ after: died }))()).rejects.toThrow('the process died');
    expect(await left()).toEqual([events[0]?.id]);
    expect(await publisher()()).toBe(1);
    expect(await sent()).toEqual([JSON.stringify(events[0]), JSON.stringify(events[0])]);
  });

  it('keeps what the queue refuses, says so, and removes the rest', async () => {
    const [good] = await announced(1);
    const refused = randomUUID();
    // SQS takes no such character.
    await pool.query('INSERT INTO outbox (id, event) VALUES ($1, $2)', [refused, '\u0001']);
    await expect(publisher()()).rejects.toThrow(`The queue has refused 1 events, ${refused}: InvalidMessageContents`);
    expect(await left()).toEqual([refused]);
    expect(await sent()).toEqual([JSON.stringify(good)]);
  });

  it('has no event of a transaction that has not committed, or was rolled back', async () => {
    await expect(
      inTransaction(pool, async (tx) => {
        await announce(tx, event());
        expect(await publisher()()).toBe(0);
        throw new Error('no payment');
      }),
    ).rejects.toThrow('no payment');
    expect(await publisher()()).toBe(0);
  });

  it('never has an event in the place of another one', async () => {
    const [first] = await announced(1);
    const other = { ...event(), id: first?.id ?? '' };
    await expect(inTransaction(pool, (tx) => announce(tx, other))).rejects.toMatchObject({ code: '23505' });
    await publisher()();
    expect(await sent()).toEqual([JSON.stringify(first)]);
  });
});
