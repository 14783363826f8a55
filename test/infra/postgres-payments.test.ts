import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Payment } from '../../infra/payments/payment.ts';
import { postgresPayments } from '../../infra/payments/postgres-payments.ts';
import { WriteRefusedError } from '../../infra/payments/transaction.ts';
import { inTransaction } from '../../infra/postgres/pool.ts';
import { usePostgresTables } from './support/payments-backend.ts';

const pool = usePostgresTables();
const payments = postgresPayments(pool);

const payment = (): Payment => ({
  id: randomUUID(),
  status: 'succeeded',
  amount: 1999,
  amountRefunded: 0,
  currency: 'EUR',
  source: 'tok_visa',
  metadata: {},
  refunds: [],
  chargeId: 'ch_1',
  createdAt: '2026-11-25T12:00:00Z',
  requestDigest: 'digest',
  version: 1,
  writtenBy: 'w1',
});

it('finds what it has written, every character of it, with and without a description', async () => {
  const bare = payment();
  const full = { ...payment(), description: `\u0000 "ü" \\ 😀`, metadata: { constructor: '\u0000', toJSON: "'; --" } };
  for (const one of [bare, full]) {
    expect(await payments.insert(one)).toEqual({ applied: true, payment: one });
    expect(await payments.find(one.id)).toEqual(one);
  }
  expect(await payments.find(randomUUID())).toBeUndefined();
});

it('recognises its own writes when they come again, and shows every other writer what is there', async () => {
  const first = payment();
  await payments.insert(first);
  expect(await payments.insert(first)).toEqual({ applied: true, payment: first });
  expect(await payments.insert({ ...first, writtenBy: 'another' })).toEqual({ applied: false, existing: first });
  const next = { ...first, description: 'x', version: 2, writtenBy: 'w2' };
  const change = (by: string) => payments.replaceNotes(first, { description: 'x', metadata: {} }, by);
  expect(await change('w2')).toEqual({ applied: true, payment: next });
  expect(await change('w2')).toEqual({ applied: true, payment: next });
  expect(await change('w3')).toEqual({ applied: false, existing: next });
});

it('voids an authorized payment of the version that was read, once, and no captured one', async () => {
  const [captured, authorized] = [payment(), { ...payment(), status: 'authorized' } as const];
  for (const one of [captured, authorized]) await payments.insert(one);
  expect(await payments.beginVoid(captured, 'w2')).toEqual({ applied: false, existing: captured });
  expect(await payments.beginVoid({ ...authorized, version: 2 }, 'w2')).toMatchObject({ applied: false });
  expect(await payments.finishVoid(authorized.id, 'w2')).toMatchObject({ applied: false });
  expect(await payments.beginVoid(authorized, 'w2')).toMatchObject({ applied: true, payment: { status: 'voiding' } });
  const voided = { ...authorized, status: 'voided', version: 3, writtenBy: 'w3' };
  expect(await payments.finishVoid(authorized.id, 'w3')).toEqual({ applied: true, payment: voided });
  expect(await payments.finishVoid(authorized.id, 'w4')).toEqual({ applied: false, existing: voided });
});

it('notes when a recorded refund was paid out, once, and nothing that a client sees', async () => {
  const paid = payment();
  await payments.insert(paid);
  const id = randomUUID();
  const written = await payments.refund(paid.id, { id, amount: 500, requestDigest: 'digest' });
  expect(written).toMatchObject({ kind: 'recorded', payment: { amountRefunded: 500, version: 2, refunds: [{ id }] } });
  const before = await payments.find(paid.id);
  const note = (at: string) => inTransaction(pool, async (tx) => payments.payout(paid.id, id, at)(tx));
  await note('first');
  await expect(note('second')).rejects.toBeInstanceOf(WriteRefusedError);
  expect(await payments.find(paid.id)).toEqual({ ...before, refunds: [{ ...before?.refunds[0], paidOutAt: 'first' }] });
});

it('has refunds of the same second in one order, so that an entity tag stands for the same bytes', async () => {
  const paid = payment();
  await payments.insert(paid);
  const ids = Array.from({ length: 5 }, () => randomUUID());
  await Promise.all(ids.map((id) => payments.refund(paid.id, { id, amount: 1, requestDigest: 'digest' })));
  const found = await payments.find(paid.id);
  expect(found).toMatchObject({ amountRefunded: 5, version: 6 });
  expect(found?.refunds.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
});

it('rolls back what fails, and goes on when the connection breaks in the middle', async () => {
  const [one, other] = [payment(), payment()];
  const insert = (what: Payment, then: string) =>
    inTransaction(pool, async (tx) => {
      await payments.insertion(what)(tx);
      await tx.query(then);
    });
  await expect(insert(one, 'SELECT 1/0')).rejects.toMatchObject({ code: '22012' });
  await expect(insert(other, 'SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toThrow();
  expect([await payments.find(one.id), await payments.find(other.id)]).toEqual([undefined, undefined]);
});
