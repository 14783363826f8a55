import type { Ready } from './ready.ts';

const PAID = '201 Created';
const BUSY = '409 IN_FLIGHT';

/** The classic accidents, and what the four ways out make of the worst one. */
export const ACCIDENTS: readonly Ready[] = [
  {
    id: 'lost-answer',
    title: 'A lost answer',
    lookFor:
      'The payment is done and its answer is lost: the retry gets the same receipt, and the bank is not asked again.',
    setup: {},
    script: 'send1 to1:answer.sent lose1 send2 run2',
    ends: { charges: 1, answers: ['nothing', PAID], record: 'COMPLETED' },
  },
  {
    id: 'unguarded',
    title: 'The same without a guard',
    lookFor: 'No table, no record: the retry is a second payment.',
    setup: { work: 'unguarded' },
    script: 'send1 to1:answer.sent lose1 send2 run2',
    ends: { charges: 2, answers: ['nothing', PAID], record: 'none' },
  },
  {
    id: 'two-at-once',
    title: 'Two at once',
    lookFor: 'Both claims arrive: the table lets one win, and the other request gets 409: come back later.',
    setup: {},
    script: 'send1 send2 go1 go2 go1 go2 run2 run1',
    ends: { charges: 1, answers: [PAID, BUSY], record: 'COMPLETED' },
  },
  {
    id: 'crash-before-effect',
    title: 'A crash before the payment',
    lookFor: 'The lease keeps retries away while an execution may be at work: then the next retry takes over.',
    setup: { requests: 3 },
    script: 'send1 to1:charge.sent kill1 drop1 send2 run2 lease send3 run3',
    ends: { charges: 1, answers: ['nothing', BUSY, PAID], record: 'COMPLETED' },
  },
  {
    id: 'crash-after-effect',
    title: 'A crash after the payment',
    lookFor:
      'The process dies between the payment and the record of it: the record cannot know, and the retry pays again.',
    setup: { requests: 3 },
    script: 'send1 to1:charge.applied kill1 send2 run2 lease send3 run3',
    ends: { charges: 2, answers: ['nothing', BUSY, PAID], record: 'COMPLETED' },
  },
  {
    id: 'crash-with-derived-key',
    title: 'Way out 1: the bank knows the key',
    lookFor:
      'The same crash, but the handler gives the bank a key that is the same at every attempt: the bank answers as before.',
    setup: { requests: 3, bank: 'knows-keys' },
    script: 'send1 to1:charge.applied kill1 send2 run2 lease send3 run3',
    ends: { charges: 1, answers: ['nothing', BUSY, PAID], record: 'COMPLETED' },
  },
  {
    id: 'crash-in-transaction',
    title: 'Way out 2: one transaction',
    lookFor: 'Payment and outcome are one write: the process dies right after it, and the retry finds both.',
    setup: { work: 'transact' },
    script: 'send1 to1:transaction.applied kill1 send2 run2',
    ends: { charges: 1, answers: ['nothing', PAID], record: 'COMPLETED' },
  },
  {
    id: 'crash-at-most-once',
    title: 'Way out 3: at most once',
    lookFor: 'With onExpiredLease: throw, no retry pays again: an operator looks, and says what happened.',
    setup: { requests: 3, expired: 'throw' },
    script: 'send1 to1:charge.applied kill1 lease send2 run2 resolve-done send3 run3',
    ends: { charges: 1, answers: ['nothing', '409 OUTCOME_UNKNOWN', PAID], record: 'COMPLETED' },
  },
  {
    id: 'crash-between-steps',
    title: 'Way out 4: steps',
    lookFor:
      'The record keeps what is done: the takeover begins where the dead process stopped, and does not pay again.',
    setup: { work: 'steps' },
    script: 'send1 to1:confirm.sent kill1 drop1 lease send2 run2',
    ends: { charges: 1, answers: ['nothing', PAID], record: 'COMPLETED' },
  },
  {
    id: 'timeout',
    title: 'A timeout',
    lookFor:
      'The bank is slow and the caller gets a 504: the record is held until the lease ends, because the payment may still happen.',
    setup: { requests: 3, work: 'middy', bank: 'knows-keys' },
    script: 'send1 to1:charge.sent timeout1 run1 send2 run2 go1 lease send3 run3',
    ends: { charges: 1, answers: ['504 Timeout', BUSY, PAID], record: 'COMPLETED' },
  },
  {
    id: 'zombie',
    title: 'A zombie',
    lookFor:
      'Request 1 sleeps longer than its lease and wakes up beside its successor: its late write is refused, and it gets the outcome of request 2.',
    setup: { bank: 'knows-keys' },
    script: 'send1 to1:charge.sent lease send2 run2 run1',
    ends: { charges: 1, answers: [PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'expired-record',
    title: 'An expired record',
    lookFor:
      'After its retention a record counts as absent, although the table still has it: the same key is a new payment.',
    setup: {},
    script: 'send1 run1 retention send2 run2',
    ends: { charges: 2, answers: [PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'reused-key',
    title: 'A reused key',
    lookFor: 'The same key comes with another amount: it is refused, and the record stays as it is.',
    setup: {},
    script: 'send1 run1 send2-other-amount run2',
    ends: { charges: 1, answers: [PAID, '422 KEY_REUSED'], record: 'COMPLETED' },
  },
];
