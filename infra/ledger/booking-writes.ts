import type { TransactionItem } from 'middy-idempotency/dynamodb';
import type { PaymentEvent } from '../outbox/payment-event.ts';
import { bookingOf } from './booking.ts';

/** The writes that book an event: all of them in one transaction. They are refused where it is booked already. */
export function bookingWrites(tableName: string, event: PaymentEvent): TransactionItem[] {
  return bookingOf(event).map((Item) => ({
    // The guard's record expires, the entry does not: an event that comes after it is refused,
    // not booked.
    Put: { TableName: tableName, Item, ConditionExpression: 'attribute_not_exists(account)' },
  }));
}
