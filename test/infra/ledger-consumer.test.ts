import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { DeleteItemCommand } from '@aws-sdk/client-dynamodb';
import type { IdempotencyEventType } from 'middy-idempotency';
import { dynamoDBStore } from 'middy-idempotency/dynamodb';
import { describe, expect, it } from 'vitest';
import { balancesOf, trialBalance } from '../../infra/ledger/booking.ts';
import { createLedgerConsumer, type LedgerConsumerOptions } from '../../infra/ledger/consumer.ts';
import { dynamoDBLedger } from '../../infra/ledger/dynamodb-ledger.ts';
import { BOOKED_DAYS, DEAD_LETTER_DAYS, QUEUE_DAYS } from '../../infra/ledger/terms.ts';
import { type PaymentEvent, parsePaymentEvent } from '../../infra/outbox/payment-event.ts';
import { logIdempotencyEvent } from '../../infra/payments/log.ts';
import { sqsRecord } from '../support/event-sources.ts';
import { lambdaContext, thrownBy } from '../support/harness.ts';
import { useTable } from '../support/table.ts';
import { captureLog } from './support/log.ts';

const idempotencyTable = useTable();
const ledgerTable = useTable({ partitionKey: 'account', sortKey: 'entry' });
const ledger = () => dynamoDBLedger(ledgerTable);
const store = () => dynamoDBStore(idempotencyTable);

const captured = (changes: Partial<PaymentEvent> = {}): PaymentEvent => ({
  id: randomUUID(),
  type: 'payment-captured',
  payment: randomUUID(),
  amount: 1999,
  currency: 'EUR',
  occurredAt: '2026-11-25T12:00:00.000Z',
  ...changes,
});

function consumer(options: Partial<LedgerConsumerOptions> = {}) {
  const events: IdempotencyEventType[] = [];
  const handler = createLedgerConsumer({
    store: store(),
    ledger: ledger(),
    onEvent: ({ type }) => void events.push(type),
    ...options,
  });
  const deliver = (...bodies: readonly unknown[]) =>
    handler({ Records: bodies.map((body) => sqsRecord(body)) }, lambdaContext());
  return { deliver, events };
}

const entriesOf = async ({ payment }: Pick<PaymentEvent, 'payment'>) =>
  (await ledger().read()).filter((entry) => entry.payment === payment);
const NONE_FAILED = { batchItemFailures: [] };

it('books what was paid on both accounts, and what is refunded the other way', async () => {
  const payment = captured();
  const refund = captured({ type: 'payment-refunded', payment: payment.payment, amount: 500 });
  expect(await consumer().deliver(payment, refund)).toEqual(NONE_FAILED);
  const entries = await entriesOf(payment);
  expect(entries).toHaveLength(4);
  expect(balancesOf(entries)).toEqual({ 'receivable EUR': 1499, 'sales EUR': -1499 });
  expect(trialBalance(entries)).toBe(0);
});

it('books an event once, whether it is sent twice, delivered again or in one batch with itself', async () => {
  const payment = captured();
  const { deliver, events } = consumer();
  await deliver(payment);
  expect(await deliver(payment, payment)).toEqual(NONE_FAILED);
  expect(events).toEqual(['completed', 'replayed', 'replayed']);
  expect(await entriesOf(payment)).toHaveLength(2);
});

it('writes entries and record together: without the one, the other is not there', async () => {
  const payment = captured();
  const broken = { ...ledger(), booking: () => [{ Put: { TableName: ledgerTable.tableName, Item: { account: '' } } }] };
  await expect(consumer({ ledger: broken }).deliver(payment)).rejects.toThrow();
  expect(await entriesOf(payment)).toEqual([]);
  const { deliver, events } = consumer();
  expect(await deliver(payment)).toEqual(NONE_FAILED);
  expect(events).toEqual(['completed']);
});

it('does not book an event again whose record has ended: its entries are there', async () => {
  const payment = captured();
  let id = '';
  const onEvent = (event: { id: string }) => {
    id = event.id;
  };
  await consumer({ onEvent }).deliver(payment);
  const { tableName, client } = idempotencyTable;
  await client.send(new DeleteItemCommand({ TableName: tableName, Key: { id: { S: id } } }));
  await expect(consumer().deliver(payment)).rejects.toThrow();
  expect(await entriesOf(payment)).toHaveLength(2);
});

it.each([
  ['no JSON', 'no JSON'],
  ['no object', 'null'],
  ['no id', { ...captured(), id: undefined }],
  ['an id that is no UUID', { ...captured(), id: '1' }],
  ['an amount of nothing', captured({ amount: 0 })],
  ['an amount with a fraction', captured({ amount: 0.5 })],
  ['an unknown type', { ...captured(), type: 'payment-imagined' }],
  ['an unknown currency', captured({ currency: 'euro' })],
  ['no time', captured({ occurredAt: 'now' })],
])('reports a message with %s as failed, alone, and books nothing of it', async (_, poison) => {
  const [good, before] = [captured(), (await ledger().read()).length];
  const response = await consumer().deliver(good, poison);
  expect(response.batchItemFailures).toHaveLength(1);
  expect(await entriesOf(good)).toHaveLength(2);
  expect(await ledger().read()).toHaveLength(before + 2);
});

describe('what the ledger logs', () => {
  const log = captureLog();

  it('has nothing of a message that is malformed', async () => {
    const error = await thrownBy(consumer({ onEvent: logIdempotencyEvent }).deliver('4929-secret'));
    expect(log.lines()).toHaveLength(1);
    expect(log.lines()[0]).toContain('Its body is no JSON object');
    const unread = await thrownBy((async () => parsePaymentEvent('4929-secret'))());
    // As Lambda and the console print it, with its causes.
    expect([...log.lines(), inspect(error, { depth: 9 }), inspect(unread)].join()).not.toContain('4929');
  });
});

it('reports a message that contradicts what is booked', async () => {
  const payment = captured();
  const { deliver, events } = consumer();
  await deliver(payment);
  await expect(deliver({ ...payment, amount: 1 })).rejects.toThrow();
  expect(events.at(-1)).toBe('keyReused');
  expect(balancesOf(await entriesOf(payment))).toEqual({ 'receivable EUR': 1999, 'sales EUR': -1999 });
});

it('keeps the record longer than the last copy of an event can come, a redrive included', async () => {
  expect(DEAD_LETTER_DAYS).toBeGreaterThan(QUEUE_DAYS);
  expect(BOOKED_DAYS).toBeGreaterThan(1 + 2 * DEAD_LETTER_DAYS);
  const payment = captured();
  const retentions: number[] = [];
  const watching = store();
  const { deliver } = consumer({
    store: {
      ...watching,
      transact: (record, ...rest) => {
        retentions.push((record?.expiration ?? 0) - Date.now() / 1000);
        return watching.transact?.(record, ...rest) ?? Promise.reject(new Error('no transactions'));
      },
    },
  });
  await deliver(payment);
  expect(retentions[0]).toBeGreaterThan((BOOKED_DAYS - 0.1) * 86_400);
});

it('reads events of a later version, which has more members', () => {
  const payment = captured();
  expect(parsePaymentEvent(JSON.stringify({ ...payment, channel: 'web' }))).toEqual(payment);
});
