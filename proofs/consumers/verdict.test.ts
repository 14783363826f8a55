import { expect, it } from 'vitest';
import { bookingOf } from '../../infra/ledger/booking.ts';
import type { PaymentEvent } from '../../infra/outbox/payment-event.ts';
import { type Found, violationsOf } from './verdict.ts';

const event = (id: string, type: PaymentEvent['type'] = 'payment-captured', amount = 100): PaymentEvent => ({
  id,
  type,
  payment: id,
  amount,
  currency: 'EUR',
  occurredAt: '2026-11-25T12:00:00.000Z',
});
const events = [event('a'), event('b'), event('b', 'payment-refunded', 40)];
const entries = events.flatMap(bookingOf);
const moved = events.map((one) => ({ ...one, charge: `charge of ${one.payment}` }));
const right: Found = {
  moved,
  movements: moved,
  entries,
  poison: ['x', 'y'],
  deadLetters: ['y', 'x'],
  left: 0,
  vanished: 0,
};
const copy = JSON.stringify(event('a'));

it('finds nothing where everything is booked once, and the poison is dead', () => {
  expect(violationsOf(right)).toEqual([]);
});

it('lets a late copy of a booked event die, where records have vanished', () => {
  expect(violationsOf({ ...right, deadLetters: ['x', 'y', copy], vanished: 1 })).toEqual([]);
});

it.each<[string, Partial<Found>, string[]]>([
  [
    'a payment that is booked twice',
    { entries: [...entries, ...bookingOf(event('a'))] },
    [
      'payment-captured of charge of a: 100 EUR is in the ledger, and not by the processor',
      'payment-captured of a: receivable 100 EUR is booked once too often',
      'payment-captured of a: sales -100 EUR is booked once too often',
    ],
  ],
  [
    'a payment that is not booked',
    { entries: entries.slice(2) },
    [
      'payment-captured of charge of a: 100 EUR by the processor is not in the ledger',
      'payment-captured of a: receivable 100 EUR is not booked',
      'payment-captured of a: sales -100 EUR is not booked',
    ],
  ],
  [
    'a booking of one side',
    { entries: entries.slice(1) },
    [
      'payment-captured of charge of a: 100 EUR by the processor is not in the ledger',
      'payment-captured of a: receivable 100 EUR is not booked',
      "the ledger's sum is -100, not 0",
    ],
  ],
  [
    'a refund that is booked as a payment',
    { entries: [...entries.slice(0, 4), ...bookingOf(event('b', 'payment-captured', 40))] },
    [
      'payment-refunded of charge of b: 40 EUR by the processor is not in the ledger',
      'payment-captured of charge of b: 40 EUR is in the ledger, and not by the processor',
      'payment-refunded of b: receivable -40 EUR is not booked',
      'payment-refunded of b: sales 40 EUR is not booked',
      'payment-captured of b: receivable 40 EUR is booked once too often',
      'payment-captured of b: sales -40 EUR is booked once too often',
    ],
  ],
  [
    'a refund that the processor has paid twice',
    { movements: [...moved, ...moved.slice(2)] },
    ['payment-refunded of charge of b: 40 EUR by the processor is not in the ledger'],
  ],
  [
    'a refund of another amount than the processor has paid',
    { movements: [...moved.slice(0, 2), { ...event('b', 'payment-refunded', 41), charge: 'charge of b' }] },
    [
      'payment-refunded of charge of b: 41 EUR by the processor is not in the ledger',
      'payment-refunded of charge of b: 40 EUR is in the ledger, and not by the processor',
    ],
  ],
  [
    'a copy of an event that is dead although no record has vanished',
    { deadLetters: ['x', 'y', copy] },
    [`${copy} is dead and no poison`],
  ],
  [
    'an event that is dead and not booked, where records have vanished',
    { deadLetters: ['x', 'y', JSON.stringify(event('c'))], vanished: 1 },
    [`${JSON.stringify(event('c'))} is dead and no poison`],
  ],
  ['a good message that is dead', { deadLetters: ['x', 'y', 'z'] }, ['z is dead and no poison']],
  ['poison that is gone', { deadLetters: ['x'] }, ['y is poison and not in the dead-letter queue']],
  ['messages that are left', { left: 3 }, ['3 messages are still in the queue']],
])('finds %s', (_, wrong, violations) => {
  expect(violationsOf({ ...right, ...wrong })).toEqual(violations);
});
