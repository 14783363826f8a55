import type { Payment, PaymentNotes, Refund } from './payment.ts';
import { asMap } from './payment-item.ts';
import { MAX_REFUNDS } from './refund-decision.ts';

/** Nothing but the notes: a payout that is noted at the same time changes no version, and must not be undone. */
export function describing({ description, metadata }: PaymentNotes, version: number, writtenBy: string) {
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
export function recording({ id, ...refund }: Refund, payment: Payment) {
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

/** That a recorded refund was paid out. */
export function payingOut(refundId: string, paidOutAt: string) {
  return {
    UpdateExpression: 'SET refunds.#refund.paidOutAt = :paidOutAt',
    ConditionExpression: 'attribute_exists(refunds.#refund) AND attribute_not_exists(refunds.#refund.paidOutAt)',
    ExpressionAttributeNames: { '#refund': refundId },
    ExpressionAttributeValues: { ':paidOutAt': paidOutAt },
  };
}

export function voiding(version: number, writtenBy: string) {
  const { ConditionExpression, ExpressionAttributeValues, ...update } = moving('authorized', 'voiding', writtenBy);
  return {
    ...update,
    ConditionExpression: `${ConditionExpression} AND #version = :version`,
    ExpressionAttributeValues: { ...ExpressionAttributeValues, ':version': version },
  };
}

export function voided(writtenBy: string) {
  return moving('voiding', 'voided', writtenBy);
}

function moving(from: Payment['status'], to: Payment['status'], writtenBy: string) {
  return {
    UpdateExpression: 'SET #status = :to, writtenBy = :writtenBy ADD #version :one',
    ConditionExpression: '#status = :from',
    ExpressionAttributeNames: { '#status': 'status', '#version': 'version' },
    ExpressionAttributeValues: { ':to': to, ':from': from, ':writtenBy': writtenBy, ':one': 1 },
    ReturnValues: 'ALL_NEW',
  } as const;
}
