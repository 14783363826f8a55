import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { RecordStore } from 'middy-idempotency';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import { memoryStore } from 'middy-idempotency/memory';
import type { Payment } from '../../../infra/payments/payment.ts';
import type { Payments } from '../../../infra/payments/payments.ts';
import { decideRefund, newRefund } from '../../../infra/payments/refund-decision.ts';

type Write = (isDone: (id: string) => boolean) => () => void;

/** Payments and records in this process: as much of them as creating and refunding a payment needs. */
export function paymentsInMemory(existing: readonly Payment[] = []): {
  readonly payments: Payments<TransactionItem>;
  readonly store: RecordStore<TransactionItem>;
} {
  const all = new Map(existing.map((payment) => [payment.id, payment]));
  const announced = new Set<string>();
  const refuse = async (): Promise<never> => {
    throw new Error('not in memory');
  };
  const item = (write: Write) => write as unknown as TransactionItem;
  const store = memoryStore<TransactionItem>({
    apply(items) {
      const writes = items.map((one) => (one as unknown as Write)((id) => announced.has(id)));
      for (const write of writes) write();
    },
  });
  const payments: Payments<TransactionItem> = {
    find: async (id) => all.get(id),
    insert: refuse,
    replaceNotes: refuse,
    beginVoid: refuse,
    finishVoid: refuse,
    insertion: (payment) =>
      item(() => {
        // As DynamoDB refuses an item without its key.
        if (typeof payment.id !== 'string') throw new TypeError('a payment without id');
        if (all.has(payment.id)) throw conditionFailed();
        return () => all.set(payment.id, payment);
      }),
    announcement: (event) =>
      item((isAnnounced) => {
        if (isAnnounced(event.id)) throw conditionFailed(1);
        return () => announced.add(event.id);
      }),
    async refund(paymentId, order) {
      const payment = all.get(paymentId);
      if (payment === undefined) return { kind: 'not-found' };
      const decision = decideRefund(payment, order);
      if (decision.kind === 'recorded') return { ...decision, payment };
      if (decision.kind === 'refused') return decision;
      const refund = newRefund(order, decision.amount);
      const changed = {
        ...payment,
        amountRefunded: payment.amountRefunded + refund.amount,
        refunds: [...payment.refunds, refund],
      };
      all.set(paymentId, changed);
      return { kind: 'recorded', payment: changed, refund };
    },
    payout: (paymentId, refundId, paidOutAt) =>
      item(() => {
        const payment = all.get(paymentId);
        const refund = payment?.refunds.find(({ id }) => id === refundId);
        if (payment === undefined || refund === undefined || refund.paidOutAt !== undefined) throw conditionFailed();
        const refunds = payment.refunds.map((one) => (one === refund ? { ...refund, paidOutAt } : one));
        return () => all.set(paymentId, { ...payment, refunds });
      }),
  };
  return { payments, store };
}

function conditionFailed(index = 0): TransactionCanceledException {
  const reasons = Array.from({ length: index + 1 }, (_, at) => ({
    Code: at === index ? 'ConditionalCheckFailed' : 'None',
  }));
  return new TransactionCanceledException({ $metadata: {}, message: 'cancelled', CancellationReasons: reasons });
}
