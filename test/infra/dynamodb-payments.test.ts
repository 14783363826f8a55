import { randomUUID } from 'node:crypto';
import { TransactionConflictException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { dynamoDBPayments } from '../../infra/payments/dynamodb-payments.ts';
import type { Payment } from '../../infra/payments/payment.ts';
import type { Write } from '../../infra/payments/payments.ts';
import { localClient, useTable } from '../support/table.ts';

const table = useTable();

const payment = (): Payment => ({
  id: randomUUID(),
  status: 'authorized',
  amount: 1999,
  amountRefunded: 0,
  currency: 'EUR',
  source: 'tok_visa',
  metadata: { order: '4711' },
  refunds: [],
  chargeId: 'ch_1',
  requestDigest: 'digest',
  createdAt: '2026-11-22T12:00:00.000Z',
  version: 1,
  writtenBy: randomUUID(),
});

type Writer = (payments: ReturnType<typeof dynamoDBPayments>, written: Payment, writtenBy: string) => Promise<Write>;

const WRITES: readonly (readonly [string, Writer])[] = [
  [
    'replaceNotes',
    (payments, written, writtenBy) => payments.replaceNotes(written, { metadata: { order: '4712' } }, writtenBy),
  ],
  ['beginVoid', (payments, written, writtenBy) => payments.beginVoid(written, writtenBy)],
];

describe('the payments table', () => {
  it('finds what was inserted, and nothing else', async () => {
    const payments = dynamoDBPayments(table);
    const written = payment();
    expect(await payments.insert(written)).toEqual({ applied: true, payment: written });
    expect(await payments.find(written.id)).toEqual(written);
    expect(await payments.find(randomUUID())).toBeUndefined();
  });

  it('recognises an insert that comes again, as the SDK sends it after a lost answer', async () => {
    const payments = dynamoDBPayments(table);
    const written = payment();
    await payments.insert(written);
    expect(await payments.insert(written)).toEqual({ applied: true, payment: written });
  });

  it('does not insert over what another one has written', async () => {
    const payments = dynamoDBPayments(table);
    const written = payment();
    await payments.insert(written);
    const other = { ...written, amount: 1, writtenBy: randomUUID() };
    expect(await payments.insert(other)).toEqual({ applied: false, existing: written });
  });

  it.each(WRITES)('recognises a %s that comes again, and refuses that of another one', async (_, write) => {
    const payments = dynamoDBPayments(table);
    const written = payment();
    await payments.insert(written);
    const writer = randomUUID();
    const first = await write(payments, written, writer);
    expect(first).toMatchObject({ applied: true, payment: { version: 2, writtenBy: writer } });
    expect(await write(payments, written, writer)).toEqual(first);
    expect(await write(payments, written, randomUUID())).toMatchObject({ applied: false, existing: { version: 2 } });
  });

  it.each(WRITES)('does not %s a payment that is not there', async (_, write) => {
    const payments = dynamoDBPayments(table);
    expect(await write(payments, payment(), randomUUID())).toEqual({ applied: false, existing: undefined });
  });

  it.each(WRITES)('tries a %s again while a transaction is at work on the payment', async (_, write) => {
    const written = payment();
    await dynamoDBPayments(table).insert(written);
    const client = localClient();
    let conflicts = 2;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'GetItemCommand' || conflicts-- <= 0) return next(args);
          throw new TransactionConflictException({ message: 'ongoing', $metadata: {} });
        },
      { step: 'build' },
    );
    const payments = dynamoDBPayments({ ...table, client });
    expect(await write(payments, written, randomUUID())).toMatchObject({ applied: true, payment: { version: 2 } });
  });

  it('voids a payment that is voiding, once, and no other one', async () => {
    const payments = dynamoDBPayments(table);
    const written = payment();
    await payments.insert(written);
    expect(await payments.finishVoid(written.id, 'w2')).toEqual({ applied: false, existing: written });
    await payments.beginVoid(written, 'w2');
    const voided = { ...written, status: 'voided', version: 3, writtenBy: 'w3' };
    expect(await payments.finishVoid(written.id, 'w3')).toEqual({ applied: true, payment: voided });
    expect(await payments.finishVoid(written.id, 'w3')).toEqual({ applied: true, payment: voided });
    expect(await payments.finishVoid(written.id, 'w4')).toEqual({ applied: false, existing: voided });
  });

  it('begins to void no other version than the one that was read', async () => {
    const payments = dynamoDBPayments(table);
    const written = payment();
    await payments.insert(written);
    await payments.replaceNotes(written, { metadata: {} }, 'w2');
    expect(await payments.beginVoid(written, 'w3')).toMatchObject({ applied: false, existing: { version: 2 } });
  });

  it('replaces the notes of a payment, and nothing else', async () => {
    const payments = dynamoDBPayments(table);
    const written = { ...payment(), description: 'Two tickets' };
    await payments.insert(written);
    const next = { ...written, version: 2, writtenBy: 'w2', description: 'Three', metadata: { constructor: 'x' } };
    const { description, metadata } = next;
    const stale = { ...written, amount: 1, status: 'voided' } as const;
    expect(await payments.replaceNotes(stale, { description, metadata }, 'w2')).toEqual({
      applied: true,
      payment: next,
    });
    const { description: _, ...bare } = { ...next, version: 3, writtenBy: 'w3', metadata: {} };
    expect(await payments.replaceNotes(next, { metadata: {} }, 'w3')).toEqual({ applied: true, payment: bare });
    expect(await payments.find(written.id)).toEqual(bare);
  });

  it('notes when a recorded refund was paid out, once, and nothing that a client sees', async () => {
    const payments = dynamoDBPayments(table);
    const written: Payment = { ...payment(), status: 'succeeded' };
    await payments.insert(written);
    await payments.refund(written.id, { id: 'r1', amount: 500, requestDigest: 'digest' });
    const before = await payments.find(written.id);
    const documents = DynamoDBDocumentClient.from(table.client);
    const note = (at: string) =>
      documents.send(new TransactWriteCommand({ TransactItems: [payments.payout(written.id, 'r1', at)] }));
    await note('first');
    await expect(note('second')).rejects.toThrow('ConditionalCheckFailed');
    const [refund] = before?.refunds ?? [];
    expect(await payments.find(written.id)).toEqual({ ...before, refunds: [{ ...refund, paidOutAt: 'first' }] });
  });
});
