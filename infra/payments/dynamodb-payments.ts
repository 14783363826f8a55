import { setTimeout as sleep } from 'node:timers/promises';
import {
  ConditionalCheckFailedException,
  type DynamoDBClient,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { outboxItem } from '../outbox/outbox.ts';
import type { Payment, PaymentNotes, Refund } from './payment.ts';
import type { Payments, Write } from './payments.ts';
import { decideRefund, MAX_REFUNDS } from './refund-decision.ts';

/** As it is stored: the refunds by their ids, so that a condition can ask for one. */
type Item = Omit<Payment, 'refunds'> & { readonly refunds: Readonly<Record<string, Omit<Refund, 'id'>>> };

/** Payments in a DynamoDB table with the string partition key `id`. */
export function dynamoDBPayments({ tableName, client }: { tableName: string; client: DynamoDBClient }): Payments {
  const documents = DynamoDBDocumentClient.from(client);
  const table = { TableName: tableName };

  async function find(id: string): Promise<Payment | undefined> {
    const { Item } = await documents.send(new GetCommand({ ...table, Key: { id }, ConsistentRead: true }));
    return Item === undefined ? undefined : toPayment(Item as Item);
  }

  function insertion(payment: Payment) {
    return { ...table, Item: toItem(payment), ConditionExpression: 'attribute_not_exists(id)' };
  }

  /** What is there after a write that was refused may be the write itself: its answer was lost, and the SDK sent it again. */
  async function answer(id: string, writtenBy: string, write: Promise<Payment | undefined>): Promise<Write> {
    const payment = await write;
    if (payment !== undefined) return { applied: true, payment };
    const existing = await find(id);
    return existing?.writtenBy === writtenBy ? { applied: true, payment: existing } : { applied: false, existing };
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
    payout: (id, refundId, paidOutAt) => ({
      Update: {
        ...table,
        Key: { id },
        UpdateExpression: 'SET refunds.#refund.paidOutAt = :paidOutAt',
        ConditionExpression: 'attribute_exists(refunds.#refund) AND attribute_not_exists(refunds.#refund.paidOutAt)',
        ExpressionAttributeNames: { '#refund': refundId },
        ExpressionAttributeValues: { ':paidOutAt': paidOutAt },
      },
    }),
    announcement: (event) => outboxItem(tableName, event, Date.now()),
    replaceNotes({ id, version }, notes, writtenBy) {
      const update = new UpdateCommand({ ...table, Key: { id }, ...describing(notes, version, writtenBy) });
      return answer(id, writtenBy, unlessRefused(whenFree(() => documents.send(update)).then(updated)));
    },
    void(id, writtenBy) {
      const update = new UpdateCommand({
        ...table,
        Key: { id },
        UpdateExpression: 'SET #status = :voided, writtenBy = :writtenBy ADD #version :one',
        ConditionExpression: '#status = :authorized',
        ExpressionAttributeNames: { '#status': 'status', '#version': 'version' },
        ExpressionAttributeValues: {
          ':voided': 'voided',
          ':authorized': 'authorized',
          ':writtenBy': writtenBy,
          ':one': 1,
        },
        ReturnValues: 'ALL_NEW',
      });
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
        const { id, requestDigest } = order;
        const refund = { id, amount: decision.amount, createdAt: new Date().toISOString(), requestDigest };
        const update = new UpdateCommand({ ...table, Key: { id: paymentId }, ...recording(refund, payment) });
        const written = await unlessRefused(whenFree(() => documents.send(update)).then(updated));
        if (written !== undefined) return { kind: 'recorded', payment: written, refund };
      }
    },
  };
}

/** Nothing but the notes: a payout that is noted at the same time changes no version, and must not be undone. */
function describing({ description, metadata }: PaymentNotes, version: number, writtenBy: string) {
  const sets = 'metadata = :metadata, writtenBy = :writtenBy ADD #version :one';
  return {
    UpdateExpression:
      description === undefined ? `SET ${sets} REMOVE description` : `SET description = :description, ${sets}`,
    ConditionExpression: '#version = :before',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: {
      ':metadata': asMap(metadata),
      ':writtenBy': writtenBy,
      ':one': 1,
      ':before': version,
      ...(description !== undefined && { ':description': description }),
    },
    ReturnValues: 'ALL_NEW',
  } as const;
}

/**
 * Conditions have no arithmetic, but a payment's amount never changes: what may have been refunded before this refund is
 * a number that is known here. Others may refund at the same time; the sum is checked where it is written.
 */
function recording({ id, ...refund }: Refund, payment: Payment) {
  return {
    UpdateExpression:
      'SET amountRefunded = amountRefunded + :amount, refunds.#refund = :refund, writtenBy = :id ADD #version :one',
    ConditionExpression:
      'amountRefunded <= :limit AND attribute_not_exists(refunds.#refund) AND size(refunds) < :max AND #status = :captured',
    ExpressionAttributeNames: { '#refund': id, '#version': 'version', '#status': 'status' },
    ExpressionAttributeValues: {
      ':amount': refund.amount,
      ':limit': payment.amount - refund.amount,
      ':refund': refund,
      ':id': id,
      ':max': MAX_REFUNDS,
      ':captured': 'succeeded',
      ':one': 1,
    },
    ReturnValues: 'ALL_NEW',
  } as const;
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

/** Everything in it is of a shape that is known here: nothing that is charged can turn out not to be storable. */
function toItem({ refunds, metadata, ...payment }: Payment) {
  return {
    ...payment,
    metadata: asMap(metadata),
    refunds: Object.fromEntries(refunds.map(({ id, ...refund }) => [id, refund])),
  };
}

/** The client has chosen the names: an object with a member `constructor` would be taken for an instance of a class. */
function asMap(metadata: Payment['metadata']): ReadonlyMap<string, string> {
  return new Map(Object.entries(metadata));
}

function toPayment({ refunds, ...payment }: Item): Payment {
  return { ...payment, refunds: Object.entries(refunds).map(([id, refund]) => ({ id, ...refund })) };
}
