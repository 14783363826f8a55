import { describe, expect, it } from 'vitest';
import type { Ending, HistoryEvent, Seen, Terms } from './history.ts';
import { judge } from './oracle.ts';

const TERMS: Terms = {
  clockSkewMillis: 1000,
  onExpiredLease: 'run',
  clocksAgree: true,
  punctual: true,
  storeSeen: true,
  patienceMillis: 10_000,
};
const LEASE = 20_000;
const RETENTION = 100_000;

type Type = HistoryEvent['type'];
type Details<T extends Type> = Omit<Extract<HistoryEvent, { type: T }>, 'type' | 'at' | 'call'>;

/** A history in a few words: `at` seconds, the call, what happened. */
function history() {
  const events: HistoryEvent[] = [];
  const add = <T extends Type>(at: number, call: string, type: T, details: Details<T>) => {
    events.push({ type, at: at * 1000, call, ...details } as unknown as HistoryEvent);
    return made;
  };
  const made = {
    events,
    add,
    called: (at: number, call: string, details: Partial<Details<'called'>> = {}) =>
      add(at, call, 'called', { key: 'k', payload: 'p', offset: 0, leaseMillis: LEASE, ...details }),
    claimed: (at: number, call: string, before?: Seen, attempt = (before?.attempt ?? 0) + 1) =>
      made
        .wrote(at, call, before, claimOf(at, call, attempt))
        .add(at, call, 'started', { attempt, leaseUntil: at * 1000 + LEASE }),
    wrote: (at: number, call: string, before: Seen | undefined, after: Seen | undefined, stray = false) =>
      add(at, call, 'wrote', { key: 'k', before, after, stray }),
    ended: (at: number, call: string, settlement: 'store' | 'release' | 'hold' = 'store', outcome = result(call)) =>
      add(at, call, 'ended', { outcome, settlement }),
    answered: (at: number, call: string, answer: Details<'answered'>['answer']) =>
      add(at, call, 'answered', { answer }),
    judge: (terms: Partial<Terms> = {}) =>
      judge({ terms: { ...TERMS, ...terms }, events: events.toSorted((a, b) => a.at - b.at) }).map(
        ({ promise, message }) => `${promise}: ${message}`,
      ),
  };
  return made;
}

const result = (call: string): Ending => ({ kind: 'returned', text: `result of ${call}` });
const failure = (call: string): Ending => ({ kind: 'threw', text: `error of ${call}` });
const refused = (code: string) => ({ kind: 'refused', code }) as const;

const claimOf = (at: number, by: string, attempt = 1): Seen => ({
  status: 'IN_PROGRESS',
  by,
  attempt,
  leaseUntil: at * 1000 + LEASE,
  expiresAt: at * 1000 + RETENTION,
});
const completed = (at: number, by: string, attempt = 1): Seen => ({
  status: 'COMPLETED',
  by,
  attempt,
  expiresAt: at * 1000 + RETENTION,
  text: `result of ${by}`,
});
const released = (at: number, by: string, attempt = 1): Seen => ({
  status: 'RELEASED',
  by,
  attempt,
  expiresAt: at * 1000 + RETENTION,
});

/** `a` executes from 1 to 3 and its outcome is stored. */
const stored = () =>
  history()
    .called(1, 'a')
    .claimed(1, 'a')
    .ended(2, 'a')
    .wrote(3, 'a', claimOf(1, 'a'), completed(3, 'a'))
    .add(3, 'a', 'reported', { report: 'completed' })
    .answered(3, 'a', result('a'));

/** `a` claims at 1 and nothing more is heard of it. */
const vanished = () => history().called(1, 'a').claimed(1, 'a').add(2, 'a', 'crashed', {});

describe('the oracle has nothing against', () => {
  it.each([
    ['an execution and its replay', stored().called(4, 'b').answered(5, 'b', result('a'))],
    ['a duplicate that is refused', stored().called(1, 'b').answered(2, 'b', refused('IN_FLIGHT'))],
    ['a takeover after the lease', vanished().called(22, 'b').claimed(22, 'b', claimOf(1, 'a'))],
    [
      'an execution after a release',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a', 'release', failure('a'))
        .wrote(3, 'a', claimOf(1, 'a'), released(3, 'a'))
        .answered(3, 'a', failure('a'))
        .called(4, 'b')
        .claimed(4, 'b', released(3, 'a')),
    ],
    ['an execution after the retention', stored().called(104, 'b').claimed(104, 'b', completed(3, 'a'))],
    [
      'an outcome that could not be written',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a')
        .add(2, 'a', 'failed', { retryable: true })
        .add(12, 'a', 'reported', { report: 'completionFailed' })
        .answered(12, 'a', result('a'))
        .called(22, 'b')
        .claimed(22, 'b', claimOf(1, 'a')),
    ],
  ])('%s', (_, made) => expect(made.judge()).toEqual([]));
});

describe('the oracle finds', () => {
  it.each([
    ['I1', 'runs within its lease', vanished().called(5, 'b').claimed(5, 'b', undefined, 2)],
    ['I1', 'takes over the live lease', vanished().called(5, 'b').claimed(5, 'b', claimOf(1, 'a'))],
    ['I1', 'after its own lease', history().called(1, 'a').add(22, 'a', 'started', { attempt: 1, leaseUntil: 21_000 })],
    ['I1', 'executes twice', vanished().add(1, 'a', 'started', { attempt: 1, leaseUntil: 21_000 })],
    ['I1', 'that the store hangs', history().called(1, 'a').answered(30, 'a', refused('STORE_UNAVAILABLE'))],
    ['I2', 'deletes COMPLETED of call a', stored().called(4, 'b').wrote(4, 'b', completed(3, 'a'), undefined)],
    ['I2', 'COMPLETED over IN_PROGRESS', vanished().called(4, 'b').wrote(4, 'b', claimOf(1, 'a'), completed(4, 'b'))],
    [
      'I2',
      'number smaller',
      vanished()
        .called(22, 'b')
        .claimed(22, 'b', claimOf(1, 'a'))
        .wrote(23, 'b', claimOf(22, 'b', 2), claimOf(22, 'b', 1)),
    ],
    ['I2', 'fencing number', vanished().called(22, 'b').claimed(22, 'b', undefined)],
    [
      'I3',
      'its own claim',
      history().called(1, 'a').wrote(1, 'a', undefined, claimOf(1, 'a')).answered(2, 'a', refused('IN_FLIGHT')),
    ],
    ['I3', 'to nobody', vanished().add(2, 'a', 'reported', { report: 'leaseLost' })],
    ['I4', 'has done and stored', stored().called(50, 'b').claimed(50, 'b', undefined, 2)],
    ['I4', 'within its retention', stored().called(50, 'b').claimed(50, 'b', completed(3, 'a'))],
    [
      'I4',
      'not stored without a reason',
      history().called(1, 'a').claimed(1, 'a').ended(2, 'a').answered(3, 'a', result('a')),
    ],
    [
      'I4',
      'too early',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a')
        .add(2, 'a', 'failed', { retryable: true })
        .add(3, 'a', 'reported', { report: 'completionFailed' })
        .answered(3, 'a', result('a')),
    ],
    [
      'I4',
      'which is unsettled',
      history().called(1, 'a').claimed(1, 'a').ended(2, 'a').called(5, 'b').claimed(5, 'b', released(4, 'a')),
    ],
    [
      'I4',
      'the policy wants to release',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a', 'release')
        .wrote(3, 'a', claimOf(1, 'a'), completed(3, 'a')),
    ],
    [
      'I5',
      'IN_PROGRESS -> nothing',
      vanished().called(4, 'b').wrote(4, 'b', claimOf(1, 'a'), undefined).answered(5, 'b', refused('KEY_REUSED')),
    ],
    ['I5', 'there was none', stored().called(4, 'b').answered(5, 'b', refused('KEY_REUSED'))],
    [
      'I7',
      'stores an outcome',
      vanished().add(2, 'a', 'timedOut', {}).ended(3, 'a').wrote(4, 'a', claimOf(1, 'a'), completed(4, 'a')),
    ],
    [
      'I7',
      'which is unsettled',
      history().called(1, 'a').claimed(1, 'a').ended(2, 'a', 'hold').called(5, 'b').claimed(5, 'b', released(4, 'a')),
    ],
    ['I8', 'no execution of it ended with', stored().called(4, 'b').answered(5, 'b', result('c'))],
    ['I8', 'another payload', stored().called(4, 'b', { payload: 'q' }).answered(5, 'b', result('a'))],
    [
      'I8',
      'and .else. is stored',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a')
        .wrote(3, 'a', claimOf(1, 'a'), { ...completed(3, 'a'), text: 'else' })
        .answered(3, 'a', result('a')),
    ],
    ['I11', 'whose retention is over', stored().called(104, 'b').answered(105, 'b', result('a'))],
    ['I11', 'TTL deletes', vanished().add(3, 'a', 'deleted', { key: 'k', before: claimOf(1, 'a') })],
    [
      'I12',
      "threw 'error of a'",
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a', 'release', failure('a'))
        .answered(3, 'a', refused('STORE_UNAVAILABLE')),
    ],
    [
      'I12',
      'its caller got STORE_UNAVAILABLE',
      history().called(1, 'a').claimed(1, 'a').ended(2, 'a').answered(3, 'a', refused('STORE_UNAVAILABLE')),
    ],
    ['progress', 'never answered', history().called(1, 'a').claimed(1, 'a').ended(2, 'a')],
    ['progress', 'is stuck', vanished().called(90, 'b', { probe: true }).answered(91, 'b', refused('IN_FLIGHT'))],
  ])('%s: %s', (promise, message, made) => {
    expect(made.judge()).toContainEqual(expect.stringMatching(new RegExp(`^${promise}: .*${message}`)));
  });

  it('a second execution where at most one was asked for', () => {
    const made = vanished().called(22, 'b').claimed(22, 'b', claimOf(1, 'a'));
    expect(made.judge({ onExpiredLease: 'throw' })).toContainEqual(expect.stringMatching(/^at most once: /));
  });

  it('different outcomes of one key also where it does not see the store', () => {
    const made = stored();
    made.called(4, 'b').claimed(4, 'b', undefined, 2).ended(5, 'b').add(5, 'b', 'reported', { report: 'completed' });
    made.answered(5, 'b', result('b'));
    const found = made.judge({ storeSeen: false });
    expect(found).toContainEqual(expect.stringMatching(/^I8: callers of k got different outcomes/));
    expect(found).toContainEqual(expect.stringMatching(/^I4: .* has done and stored/));
  });
});
