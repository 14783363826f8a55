import { describe, expect, it } from 'vitest';
import type { HistoryEvent, Seen, Terms } from '../lib/history.ts';
import { judge } from './oracle.ts';

const TERMS: Terms = {
  clockSkewMillis: 1000,
  onExpiredLease: 'run',
  clocksAgree: true,
  punctual: true,
  storeSeen: true,
  patienceMillis: 10_000,
};

const outcomeOf = (by: string, attempt = 1): Seen => {
  return { status: 'COMPLETED', by, attempt, expiresAt: 100_000, text: `planned by ${by}` };
};
const claimOf = (by: string, leaseUntil: number): Seen => {
  return { status: 'IN_PROGRESS', by, attempt: 1, leaseUntil, expiresAt: 100_000 };
};

type Event = HistoryEvent extends infer One ? (One extends HistoryEvent ? Omit<One, 'at' | 'call'> : never) : never;

const called = (payload = 'p'): Event => {
  return { type: 'called', key: 'k', payload, offset: 0, leaseMillis: 20_000, transaction: true } as Event;
};
const planned = (by: string): Event => ({ type: 'finishing', by: 'transact', text: `planned by ${by}` }) as Event;
const wrote = (by: string, before?: Seen, after = outcomeOf(by)): readonly Event[] =>
  [
    { type: 'wrote', key: 'k', before, after, stray: false },
    { type: 'effect', key: 'k' },
  ] as Event[];
const looked = (found?: Seen): Event => ({ type: 'looked', key: 'k', found }) as Event;
const returned = (text: string): Event => ({ type: 'answered', answer: { kind: 'returned', text } }) as Event;
const threw = (text: string): Event => ({ type: 'answered', answer: { kind: 'threw', text } }) as Event;
const planFailed: Event = { type: 'planFailed', text: 'taken' } as Event;

/** One event a second, each with its call. */
function judged(events: readonly (readonly [call: string, event: Event | readonly Event[]])[], terms = {}): string[] {
  const all = events.flatMap(([call, some], index) =>
    [some].flat().map((event) => ({ ...event, call, at: index * 1000 }) as HistoryEvent),
  );
  return judge({ terms: { ...TERMS, ...terms }, events: all }).map(({ promise, message }) => `${promise}: ${message}`);
}

/** `a` does the work, and `b` comes afterwards. */
const done = [
  ['a', called()],
  ['a', planned('a')],
  ['a', wrote('a')],
  ['a', returned('planned by a')],
] as const;

describe('of transactions without a claim, the oracle has nothing against', () => {
  it('one effect, and its outcome for a retry whose plan throws', () => {
    const retry = [['b', called()] as const, ['b', planFailed] as const, ['b', looked(outcomeOf('a'))] as const];
    expect(judged([...done, ...retry, ['b', returned('planned by a')]])).toEqual([]);
  });

  it('a failure of the plan of who has found no record', () => {
    expect(
      judged([
        ['b', called()],
        ['b', planFailed],
        ['b', looked()],
        ['b', threw('taken')],
      ]),
    ).toEqual([]);
  });
});

describe('of transactions without a claim, the oracle finds', () => {
  it('a failure that is told without a look at the record', () => {
    expect(judged([...done, ['b', called()], ['b', planFailed], ['b', threw('taken')]])).toEqual([
      'I4: call b tells of its own failure, and has not looked at the record',
    ]);
  });

  it('a failure that is told although the outcome was found, or a live lease', () => {
    const failing = (found: Seen) =>
      judged([
        ['b', called()],
        ['b', planFailed],
        ['b', looked(found)],
        ['b', threw('taken')],
      ]);
    expect(failing(outcomeOf('b'))).toEqual(['I4: call b tells of its own failure, and has found COMPLETED of call b']);
    expect(failing(claimOf('b', 50_000))).toEqual([
      'I4: call b tells of its own failure, and has found IN_PROGRESS of call b',
    ]);
    expect(failing(claimOf('b', 1000))).toEqual([]);
  });

  it('an own outcome that is taken for that of another request', () => {
    const replayed = { type: 'reported', report: 'replayed' } as Event;
    expect(judged([...done.slice(0, 3), ['a', replayed], ['a', returned('planned by a')]])).toEqual([
      'I3: call a takes its own outcome for that of another request',
    ]);
  });

  it('a plan that is made twice', () => {
    expect(judged([...done.slice(0, 2), ...done.slice(1)])).toEqual(['transaction: call a makes its plan twice']);
  });

  it('a second effect', () => {
    const again = [['b', called()] as const, ['b', planned('b')] as const];
    const second = wrote('b', outcomeOf('a'), outcomeOf('b', 2));
    expect(judged([...done, ...again, ['b', second], ['b', returned('planned by b')]])).toEqual([
      'I4: call b takes over from the outcome of call a within its retention',
      'transaction: the effect of k happens again, by call b after call a',
    ]);
  });

  it('an effect over a live lease, over another payload, and where nobody knows what was done', () => {
    const over = (payload: string, terms: Partial<Terms> = {}) =>
      judged(
        [
          ['a', { ...called(), transaction: false } as Event],
          ['a', { type: 'wrote', key: 'k', before: undefined, after: claimOf('a', 4500), stray: false } as Event],
          ['a', { type: 'crashed' } as Event],
          ['b', called(payload)],
          ['b', planned('b')],
          ['b', wrote('b', claimOf('a', terms.onExpiredLease ? 4500 : 50_000), outcomeOf('b', 2))],
          ['b', returned('planned by b')],
        ],
        terms,
      );
    expect(over('p')).toEqual(['I1: call b takes over the live lease of call a']);
    expect(over('q')).toContain('I5: call b takes over from call a, which had another payload');
    expect(over('p', { onExpiredLease: 'throw' })).toEqual([
      'at most once: call b writes over call a, of which nobody knows what it did',
    ]);
  });

  it('a takeover with a fencing number that was used, and an effect without its outcome', () => {
    const expired = { ...outcomeOf('a'), expiresAt: 0 };
    const call = [['a', called()] as const, ['b', called()] as const, ['b', planned('b')] as const];
    expect(judged([...call, ['b', wrote('b', expired)], ['b', returned('planned by b')]])).toContain(
      'I2: call b takes over with a number already used',
    );
    expect(judged([...done, ['b', called()], ['b', { type: 'effect', key: 'k' } as Event]])).toContain(
      'transaction: the transaction of call b takes effect without its outcome',
    );
  });

  it('a store that hangs for longer than the writes may take', () => {
    const refused = { type: 'answered', answer: { kind: 'refused', code: 'STORE_UNAVAILABLE' } } as Event;
    const slow = (seconds: number) =>
      judged([
        ['a', called()],
        ...Array.from({ length: seconds }, () => ['a', { type: 'failed', retryable: true } as Event] as const),
        ['a', refused],
      ]);
    expect(slow(11)).toEqual([]);
    expect(slow(12)).toEqual(['I16: call a learns 1000 ms too late that the store hangs']);
  });
});
