import { expectIdempotent } from 'middy-idempotency/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createPaymentsHandler, type PaymentsOptions } from '../../infra/payments/api.ts';
import { fakeProcessor } from '../../infra/payments/fake-processor.ts';
import type { Payment } from '../../infra/payments/payment.ts';
import { httpEvent } from './requests.ts';
import { paymentsInMemory } from './support/payments-in-memory.ts';

const handler = <Item>(ports: Pick<PaymentsOptions<Item>, 'store' | 'payments' | 'processor'>) =>
  createPaymentsHandler({ ...ports, scope: 'anonymous', onEvent: () => undefined });

const payment: Payment = {
  id: '0d5c1f1e-5b1c-4f1e-9a55-0123456789ab',
  status: 'succeeded',
  amount: 1999,
  amountRefunded: 0,
  currency: 'EUR',
  source: 'tok_visa',
  metadata: {},
  refunds: [],
  chargeId: 'ch_1',
  createdAt: '2026-01-01T00:00:00.000Z',
  requestDigest: 'digest',
  version: 1,
  writtenBy: 'writer',
};
const creation = httpEvent({ key: '"create-1"' });
const refund = httpEvent({ key: '"refund-1"', path: `/payments/${payment.id}/refunds`, body: { amount: 500 } });
/** Recorded under an id that is derived from the request: recorded again, it is the same refund. */
const counts = { 'payments.refund': (_: string, { id }: { id: string }) => id };

beforeAll(() => void vi.spyOn(process.stdout, 'write').mockReturnValue(true));

describe('every single fault at every call leaves', () => {
  it('the creation of a payment right, and is checked in less than 2 s', async () => {
    const effects = () => ({ ...paymentsInMemory(), processor: fakeProcessor() });
    const before = process.cpuUsage();
    const report = await expectIdempotent({ handler, event: creation, effects });
    const { user, system } = process.cpuUsage(before);
    expect(report.places).toEqual(['store.insert', 'payments.find', 'processor.charge', 'store.transact']);
    // Of this process: other test files run beside it.
    expect((user + system) / 1e6).toBeLessThan(2);
  });

  it('a refund right', async () => {
    const effects = () => ({ ...paymentsInMemory([payment]), processor: fakeProcessor() });
    const report = await expectIdempotent({ handler, event: refund, effects, counts });
    expect(report.places).toEqual(['store.insert', 'payments.refund', 'processor.refund', 'store.transact']);
  });
});
