import type { Ready } from './ready.ts';

const PAID = '201 Created';
const BUSY = '409 IN_FLIGHT';

/** Every try of the SDK is lost: then the guard waits, and tries again. */
const ALL_TRIES_LOST = 'lose1 lose1 lose1';

/** One schedule for each promise that a schedule can show. */
export const PROMISES: readonly Ready[] = [
  {
    id: 'i1',
    title: 'I1: one owner',
    lookFor: 'Three requests come while one executes: as long as its lease is live, no other request executes.',
    setup: { requests: 4 },
    script: 'send1 to1:charge.sent send2 run2 second send3 send4 run4 run3 run1',
    ends: { charges: 1, answers: [PAID, BUSY, BUSY, BUSY], record: 'COMPLETED' },
  },
  {
    id: 'i2',
    title: 'I2: fenced',
    lookFor:
      'Every write names its owner: the table refuses the outcome of request 1, because the record is of request 2.',
    setup: { requests: 3, bank: 'knows-keys' },
    script: 'send1 to1:charge.applied lease send2 to2:completion.sent run1 run2 send3 run3',
    ends: { charges: 1, answers: ['409 LEASE_LOST', PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i3',
    title: 'I3: own writes are recognised',
    lookFor: 'The claim is applied and its answer is lost: sent again, it meets itself, and knows that it has won.',
    setup: {},
    script: 'send1 to1:claim.applied lose1 run1 send2 run2',
    ends: { charges: 1, answers: [PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i4',
    title: 'I4: a finished effect is never forgotten',
    lookFor:
      'The write of the outcome fails again and again: it is tried as long as there is time, and a retry gets the outcome.',
    setup: {},
    script: `send1 to1:completion.sent ${ALL_TRIES_LOST} go1 ${ALL_TRIES_LOST} run1 send2 run2`,
    ends: { charges: 1, answers: [PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i5',
    title: 'I5: losers change nothing',
    lookFor:
      'A duplicate and a request with another amount are refused while request 1 is at work: its record stays as it is.',
    setup: { requests: 4 },
    script: 'send1 to1:charge.sent send2 run2 send3-other-amount run3 run1 send4 run4',
    ends: { charges: 1, answers: [PAID, BUSY, '422 KEY_REUSED', PAID], record: 'COMPLETED' },
  },
  {
    id: 'i6',
    title: 'I6: the key is computed once',
    lookFor: 'The handler changes the order while it works: the record and the retry do not notice.',
    setup: { work: 'mutate' },
    script: 'send1 to1:answer.sent lose1 send2 run2',
    ends: { charges: 1, answers: ['nothing', PAID], record: 'COMPLETED' },
  },
  {
    id: 'i7',
    title: 'I7: a timeout is not a failure',
    lookFor:
      'The caller has its 504, and the payment still happens: no retry executes before the lease ends, and the 504 is not stored.',
    setup: { work: 'middy' },
    script: 'send1 to1:charge.sent timeout1 run1 go1 go1 send2 run2',
    ends: { charges: 1, answers: ['504 Timeout', BUSY], record: 'IN_PROGRESS' },
  },
  {
    id: 'i8',
    title: 'I8: a retry sees what the first caller saw',
    lookFor: 'All clients get the same receipt, byte for byte.',
    setup: { requests: 3 },
    script: 'send1 run1 send2 run2 send3 run3',
    ends: { charges: 1, answers: [PAID, PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i9',
    title: 'I9: no key, no guess',
    lookFor: 'A request without a key is refused: it neither pays nor shares a record.',
    setup: {},
    script: 'send1-no-key run1 send2 run2',
    ends: { charges: 1, answers: ['400 KEY_MISSING', PAID], record: 'COMPLETED' },
  },
  {
    id: 'i10',
    title: 'I10: no cross-talk',
    lookFor: 'Two orders are paid at the same time over one store: each has a record of its own.',
    setup: {},
    script: 'send1 send2-other-key go1 go2 go1 go2 go1 go2 run2 run1',
    ends: { charges: 2, answers: [PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i11',
    title: 'I11: expiry is decided here',
    lookFor:
      'The retention has ended and the table has not deleted the record: request 2 takes it over, and request 3 gets the new outcome.',
    setup: { requests: 3 },
    script: 'send1 run1 retention send2 run2 send3 run3',
    ends: { charges: 2, answers: [PAID, PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i12',
    title: 'I12: the original error survives',
    lookFor:
      'The card is declined and the release of the record fails: the client gets the decline, not the failure of the table.',
    setup: { requests: 3 },
    script: `send1 to1:charge.sent refuse1 ${`${ALL_TRIES_LOST} go1 `.repeat(3)}${ALL_TRIES_LOST} run1 send2 run2 lease send3 run3`,
    ends: { charges: 1, answers: ['402 Declined', BUSY, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i13',
    title: 'I13: "done" is the truth',
    lookFor:
      'The transaction is applied and its answer is lost: the record has the token of this transaction, so it counts as done.',
    setup: { work: 'transact' },
    script: 'send1 to1:transaction.applied lose1 run1 send2 run2',
    ends: { charges: 1, answers: [PAID, PAID], record: 'COMPLETED' },
  },
  {
    id: 'i16',
    title: 'I16: bounded',
    lookFor:
      'The table hangs: the client has its answer in ten seconds, and the claim that arrives late is taken back.',
    setup: {},
    script: `send1 to1:claim.sent ${'second '.repeat(10)} run1 strays go1 send2 run2`,
    ends: { charges: 1, answers: ['503 STORE_UNAVAILABLE', PAID], record: 'COMPLETED' },
  },
];

/** The promises that no schedule can show, and why. */
export const NOT_SHOWN: Readonly<Record<string, string>> = {
  i14: 'It is about `onStoreError` of `httpIdempotency`: the playground runs the function wrapper, which never runs unguarded.',
  i15: 'It is about what an authorizer says of a caller: no order of events shows it.',
  i16: 'Of the three bounds, a schedule shows the waiting. CPU and memory have no schedule.',
};
