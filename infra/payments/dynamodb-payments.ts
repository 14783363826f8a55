import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import { outboxItem } from '../outbox/outbox.ts';
import type { Payment } from './payment.ts';
import { type Item, toItem, toPayment } from './payment-item.ts';
import { describing, payingOut, recording, voided, voiding } from './payment-updates.ts';
import { afterRefusal, type Payments, type Write } from './payments.ts';
import { decideRefund, newRefund } from './refund-decision.ts';

/** Payments in a DynamoDB table with the string partition key `id`. */
export function dynamoDBPayments({
  tableName,
  client,
}: {
  tableName: string;
  client: DynamoDBClient;
}): Payments<TransactionItem> {
  const documents = DynamoDBDocumentClient.from(client);
  const table = { TableName: tableName };

  async function find(id: string): Promise<Payment | undefined> {
    const { Item } = await documents.send(new GetCommand({ ...table, Key: { id }, ConsistentRead: true }));
    return Item === undefined ? undefined : toPayment(Item as Item);
  }

  function insertion(payment: Payment) {
    return { ...table, Item: toItem(payment), ConditionExpression: 'attribute_not_exists(id)' };
  }

  async function answer(id: string, writtenBy: string, write: Promise<Payment | undefined>): Promise<Write> {
    const payment = await write;
    return payment === undefined ? afterRefusal(await find(id), writtenBy) : { applied: true, payment };
  }

  return {
    find,
    insert(payment) {
      const put = new PutCommand(insertion(payment));
      return answer(
        payment.id,
        payment.writtenBy,
        unlessRefused(whenFree(() => documents.send(put)).then(() => payment)),
      );
    },
    insertion: (payment) => ({ Put: insertion(payment) }),
    payout: (id, refundId, paidOutAt) => ({ Update: { ...table, Key: { id }, ...payingOut(refundId, paidOutAt) } }),
    announcement: (event) => outboxItem(tableName, event, Date.now()),
    replaceNotes({ id, version }, notes, writtenBy) {
      const update = new UpdateCommand({ ...table, Key: { id }, ...describing(notes, version, writtenBy) });
      return answer(id, writtenBy, unlessRefused(whenFree(() => documents.send(update)).then(updated)));
    },
    beginVoid({ id, version }, writtenBy) {
      const update = new UpdateCommand({ ...table, Key: { id }, ...voiding(version, writtenBy) });
      return answer(id, writtenBy, unlessRefused(whenFree(() => documents.send(update)).then(updated)));
    },
    finishVoid(id, writtenBy) {
      const update = new UpdateCommand({ ...table, Key: { id }, ...voided(writtenBy) });
      return answer(id, writtenBy, unlessRefused(whenFree(() => documents.send(update)).then(updated)));
    },
    async refund(paymentId, order) {
      // Every further round has seen another refund recorded: it ends where nothing is left.
      for (;;) {
        const payment = await find(paymentId);
        if (payment === undefined) return { kind: 'not-found' };
        const decision = decideRefund(payment, order);
        if (decision.kind === 'recorded') return { ...decision, payment };
        if (decision.kind === 'refused') return decision;
        const refund = newRefund(order, decision.amount);
        const update = new UpdateCommand({ ...table, Key: { id: paymentId }, ...recording(refund, payment) });
        const written = await unlessRefused(whenFree(() => documents.send(update)).then(updated));
        if (written !== undefined) return { kind: 'recorded', payment: written, refund };
      }
    },
  };
}

const MAX_CONFLICTS = 5;
const CONFLICT_MILLIS = 50;

/** A transaction is at work on the same payment, the payout of another refund, say: it ends in a moment. */
async function whenFree<T>(write: () => Promise<T>): Promise<T> {
  for (let conflicts = 1; ; conflicts++) {
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof TransactionConflictException) || conflicts > MAX_CONFLICTS) throw error;
    }
    await sleep(Math.random() * CONFLICT_MILLIS * conflicts);
  }
}

/** `undefined` when the condition did not hold. */
async function unlessRefused(write: Promise<Payment>): Promise<Payment | undefined> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof ConditionalCheckFailedException) return undefined;
    throw error;
  }
}

function updated({ Attributes }: { readonly Attributes?: Readonly<Record<string, unknown>> | undefined }): Payment {
  return toPayment(Attributes as unknown as Item);
}
