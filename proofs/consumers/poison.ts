import { randomUUID } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import type { LedgerEntry } from '../../infra/ledger/booking.ts';
import type { PaymentEvent } from '../../infra/outbox/payment-event.ts';
import type { LocalQueue } from '../../tools/queues.ts';

const event = (): PaymentEvent => ({
  id: randomUUID(),
  type: 'payment-captured',
  payment: randomUUID(),
  amount: 1999,
  currency: 'EUR',
  occurredAt: new Date().toISOString(),
});

/** Messages that nobody can book, each in another way. The last one contradicts what is booked already. */
const KINDS: readonly ((booked: LedgerEntry) => string)[] = [
  () => `no JSON at all ${randomUUID()}`,
  () => JSON.stringify({ id: randomUUID() }),
  () => JSON.stringify({ ...event(), amount: -1 }),
  () => JSON.stringify({ ...event(), type: 'payment-imagined' }),
  (booked) => JSON.stringify({ ...event(), id: booked.entry, payment: booked.payment, amount: 1 }),
];

/** Puts `count` of them into the queue. Answers their bodies. */
export async function sendPoison(queue: LocalQueue, count: number, booked: LedgerEntry): Promise<string[]> {
  const bodies = Array.from({ length: count }, (_, index) => KINDS[index % KINDS.length]?.(booked) ?? '');
  for (const MessageBody of bodies) {
    await queue.client.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }));
  }
  return bodies;
}
