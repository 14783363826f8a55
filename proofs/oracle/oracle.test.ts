import { describe, expect, it } from 'vitest';
import type { Ending, HistoryEvent, Seen, Terms } from '../lib/history.ts';
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

/** `a` claims at 1, works on, and asks for its signal. */
const watching = () => history().called(1, 'a').claimed(1, 'a').add(1, 'a', 'watching', {});

/** `a` claims at 1 and keeps its step `s` at 3. */
const stepped = (kept = true) => {
  const made = history()
    .called(1, 'a')
    .claimed(1, 'a')
    .add(2, 'a', 'stepBegan', { step: 's' })
    .add(2, 'a', 'stepEnded', { step: 's', result: 's by a' });
  if (kept) made.wrote(3, 'a', claimOf(1, 'a'), steppedBy('a'));
  return made.add(3, 'a', 'stepTold', { step: 's', result: 's by a' });
};

/** `a` claims at 1, and its transaction is applied at 2. */
const transacted = (effect = true, after = text('transacted by a')) => {
  const made = history()
    .called(1, 'a')
    .claimed(1, 'a')
    .add(2, 'a', 'finishing', { by: 'transact', text: 'transacted by a' })
    .wrote(2, 'a', claimOf(1, 'a'), after);
  return effect ? made.add(2, 'a', 'effect', { key: 'k' }) : made;
};

/** `b` waits from 2 on for `a`, which hangs, and is refused after 5 s, at 7 or when it is said. */
const waited = (at: number, found: Seen = claimOf(1, 'a')) =>
  history()
    .called(1, 'a')
    .claimed(1, 'a')
    .called(2, 'b', { waitMillis: 5000 })
    .add(2, 'b', 'conflicted', { key: 'k', found: claimOf(1, 'a') })
    .add(2, 'b', 'reported', { report: 'waiting' })
    .add(at, 'b', 'looked', { key: 'k', found })
    .answered(at, 'b', refused('IN_FLIGHT'));

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
const text = (what: string): Seen => ({ ...completed(2, 'a'), text: what });
const steppedBy = (by: string, at = 1, attempt = 1): Seen => ({
  ...claimOf(at, by, attempt),
  checkpoints: { s: 's by a' },
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
    [
      'a step that a later attempt is given',
      stepped()
        .add(4, 'a', 'crashed', {})
        .called(22, 'b')
        .wrote(22, 'b', steppedBy('a'), steppedBy('b', 22, 2))
        .add(22, 'b', 'started', { attempt: 2, leaseUntil: 42_000 })
        .add(23, 'b', 'stepTold', { step: 's', result: 's by a' }),
    ],
    [
      'a step that is run again because its process died before it was kept',
      vanished()
        .add(1, 'a', 'stepBegan', { step: 's' })
        .called(22, 'b')
        .claimed(22, 'b', claimOf(1, 'a'))
        .add(22, 'b', 'stepBegan', { step: 's' }),
    ],
    [
      'a transaction, and its replay',
      transacted()
        .add(3, 'a', 'finished', { text: 'transacted by a' })
        .called(4, 'b')
        .answered(5, 'b', { kind: 'returned', text: 'transacted by a' }),
    ],
    [
      'a failure after a transaction',
      transacted()
        .add(3, 'a', 'finished', { text: 'transacted by a' })
        .add(4, 'a', 'ended', { outcome: failure('a'), settlement: 'store', kept: 'transacted by a' })
        .answered(4, 'a', failure('a')),
    ],
    ['a request that has waited for nothing', waited(7)],
    [
      'a signal before the takeover',
      vanished()
        .add(1, 'a', 'watching', {})
        .add(20, 'a', 'signalled', {})
        .called(22, 'b')
        .claimed(22, 'b', claimOf(1, 'a')),
    ],
    [
      'a replay that is refused because a part was lost',
      stored()
        .add(4, 'a', 'partLost', { key: 'k' })
        .called(5, 'b')
        .answered(6, 'b', refused('RESPONSE_NOT_REPLAYABLE')),
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
      'I16',
      'should have been given up',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .ended(2, 'a')
        .add(2, 'a', 'failed', { retryable: true })
        .add(3600, 'a', 'reported', { report: 'completionFailed' })
        .answered(3600, 'a', result('a')),
    ],
    [
      'I1',
      'after its own lease',
      history()
        .called(1, 'a')
        .add(2, 'a', 'clockStepped', { offset: LEASE })
        .add(3, 'a', 'started', { attempt: 1, leaseUntil: 1000 + LEASE }),
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
    [
      'I1',
      'runs within its lease',
      history()
        .called(1, 'a')
        .claimed(1, 'a')
        .add(2, 'a', 'stepBegan', { step: 's' })
        .ended(3, 'a', 'release', failure('a'))
        .wrote(4, 'a', claimOf(1, 'a'), released(4, 'a'))
        .called(5, 'b')
        .claimed(5, 'b', released(4, 'a')),
    ],
    [
      'I8',
      'no response was unreplayable',
      stored().called(4, 'b').answered(5, 'b', refused('RESPONSE_NOT_REPLAYABLE')),
    ],
    ['step', 'nothing is kept', stepped(false)],
    ['step', 'which no run of it gave', stepped().add(4, 'a', 'stepTold', { step: 's', result: 'else' })],
    ['step', 'after its own lease', stepped().add(22, 'a', 'stepBegan', { step: 't' })],
    ['step', 'after its end', stepped().ended(4, 'a').add(5, 'a', 'stepBegan', { step: 't' })],
    ['step', 'twice', stepped().add(4, 'a', 'stepBegan', { step: 's' })],
    [
      'step',
      'after it has lost its lease',
      stepped().add(4, 'a', 'reported', { report: 'leaseLost' }).add(5, 'a', 'stepBegan', { step: 't' }),
    ],
    [
      'step',
      'which an attempt before has done',
      stepped()
        .called(22, 'b')
        .wrote(22, 'b', steppedBy('a'), steppedBy('b', 22, 2))
        .add(22, 'b', 'started', { attempt: 2, leaseUntil: 42_000 })
        .add(23, 'b', 'stepBegan', { step: 's' }),
    ],
    ['step', 'writes over .s by a.', stepped().called(22, 'b').claimed(22, 'b', steppedBy('a'))],
    ['step', 'released without its step', stepped(false).wrote(4, 'a', claimOf(1, 'a'), released(4, 'a'))],
    [
      'step',
      'without a reason',
      stepped(false)
        .ended(4, 'a', 'release', failure('a'))
        .wrote(4, 'a', claimOf(1, 'a'), released(4, 'a'))
        .called(5, 'b')
        .claimed(5, 'b', released(4, 'a'))
        .add(5, 'b', 'stepBegan', { step: 's' }),
    ],
    ['transaction', 'without its outcome', transacted(true, text('else'))],
    ['transaction', 'without the effect', transacted(false)],
    ['transaction', 'happens again', transacted().add(3, 'a', 'effect', { key: 'k' })],
    ['finished', 'and it is not', stepped().add(4, 'a', 'finished', { text: 'completed by a' })],
    [
      'finished',
      'executes what call a has finished',
      transacted()
        .add(3, 'a', 'finished', { text: 'transacted by a' })
        .add(4, 'a', 'crashed', {})
        .called(22, 'b')
        .claimed(22, 'b', undefined, 2),
    ],
    [
      'finished',
      'has failed after .transacted by a.',
      transacted()
        .add(3, 'a', 'finished', { text: 'transacted by a' })
        .add(4, 'a', 'ended', { outcome: failure('a'), settlement: 'store', kept: 'transacted by a' })
        .wrote(4, 'a', text('transacted by a'), text('error of a')),
    ],
    ['waiting', 'longer than it may', waited(8)],
    ['waiting', 'before it has waited long enough', waited(5)],
    ['waiting', 'has seen that there is none', waited(7, completed(3, 'a'))],
    ['signal', 'was not told', watching().called(22, 'b').claimed(22, 'b', undefined, 2)],
    ['signal', 'before its lease ends', watching().add(5, 'a', 'signalled', {})],
    ['parts', 'whose parts are not there', stored().wrote(4, 'a', undefined, { ...completed(4, 'a'), whole: false })],
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
