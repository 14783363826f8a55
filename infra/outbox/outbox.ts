import type { DynamoDBRecord } from 'aws-lambda';
import type { TransactionItem } from 'middy-idempotency/dynamodb';
import type { PaymentEvent } from './payment-event.ts';

/**
 * What the id of an event's item begins with. Payments have UUIDs: the two never meet, and no route of the API finds an
 * event. The stream's filter knows events by it.
 */
export const OUTBOX_PREFIX = 'outbox#';

/** Only events have it: payments are kept. */
export const OUTBOX_TTL_ATTRIBUTE = 'expiration';

/** Long after the stream has forgotten it: what could not be published can be found, and published by hand. */
const KEPT_SECONDS = 14 * 86_400;

/**
 * The write that announces an event, for the transaction of what it is about: both are there, or neither. It never takes the place
 * of another event: the stream's filter lets only new items pass, so that the one before could be lost.
 */
export function outboxItem(tableName: string, event: PaymentEvent, at: number): TransactionItem {
  const expiration = Math.floor(at / 1000) + KEPT_SECONDS;
  const item = { id: `${OUTBOX_PREFIX}${event.id}`, event: JSON.stringify(event), [OUTBOX_TTL_ATTRIBUTE]: expiration };
  return { Put: { TableName: tableName, Item: item, ConditionExpression: 'attribute_not_exists(id)' } };
}

/** The event's text, as it was written. @throws Error for a record of anything else: is the stream's filter gone? */
export function outboxEventText({ dynamodb }: DynamoDBRecord): string {
  const { id, event } = dynamodb?.NewImage ?? {};
  if (id?.S?.startsWith(OUTBOX_PREFIX) !== true || event?.S === undefined) {
    throw new Error(`The stream's record ${dynamodb?.SequenceNumber} is no event of the outbox.`);
  }
  return event.S;
}
