import type { IdempotencyRecord } from '../../../src/core/record/record.ts';
import type { Expected, RecordStore, WriteResult } from '../../../src/core/record/store.ts';
import { decisionOf } from './decisions.ts';
import type { Lane } from './lane.ts';
import { BEGINNING, SDK_TRIES, SKEW_MILLIS } from './terms.ts';
import { ownerOf, seenOf } from './witness.ts';
import { nounOf, seconds } from './words.ts';
import type { Payment } from './work.ts';

interface Question {
  readonly name: string;
  readonly text: string;
  readonly record: Pick<IdempotencyRecord, 'id'>;
  /** What the table does with it. */
  ask(): Promise<unknown>;
  /** Whether the table has written. */
  wrote(answer: never): boolean;
  /** What its answer says. */
  say(answer: never): string;
  /** The answer has come. */
  heard?(answer: never): void;
}

/** The table as a process reaches it: the real memory store behind a network where nothing moves by itself. */
export function tableOf(lane: Lane): RecordStore<Payment> {
  const { session } = lane;
  return {
    insert(record) {
      if (record.status === 'IN_PROGRESS') lane.claim = record;
      const text =
        record.status === 'IN_PROGRESS' ? `claim until ${seconds(record.leaseUntil - BEGINNING)}` : 'outcome';
      const name = record.status === 'IN_PROGRESS' ? 'claim' : 'completion';
      return write(name, text, record, () => session.store.insert(record), true);
    },
    replace(record, expected) {
      const name = nameOf(record, expected);
      if (name === 'takeover' && record.status === 'IN_PROGRESS') lane.claim = record;
      return write(name, textOf(name, record), record, () => session.store.replace(record, expected), false);
    },
    remove(id, expected) {
      return write('removal', 'take the claim back', { id }, () => session.store.remove(id, expected), false);
    },
    read(id) {
      return send<IdempotencyRecord | undefined>({
        name: 'read',
        text: 'how far is it?',
        record: { id },
        ask: () => session.store.read(id),
        wrote: () => false,
        say: (found: IdempotencyRecord | undefined) => found?.status ?? 'no record',
        heard: (found: IdempotencyRecord | undefined) => decides(found),
      });
    },
    transact(record, expected, items, token) {
      if (record === undefined) throw new TypeError('the playground makes no transaction without a record');
      lane.claim ??= { ...record, leaseUntil: 0 };
      return write(
        'transaction',
        'payment and outcome',
        record,
        async () => {
          const { transact } = session.store;
          return transact?.(record, expected, items, token) as never;
        },
        expected === undefined,
      );
    },
  };

  function write(
    name: string,
    text: string,
    record: Pick<IdempotencyRecord, 'id'> & Partial<IdempotencyRecord>,
    ask: () => Promise<WriteResult>,
    isFirst: boolean,
  ): Promise<WriteResult> {
    return send<WriteResult>({
      name,
      text,
      record,
      ask,
      wrote: ({ done }: WriteResult) => done,
      say: (answer: WriteResult) => (answer.done ? (DONE[name] ?? 'done') : refusal(name, answer.existing)),
      heard(answer: WriteResult) {
        if (!answer.done && 'existing' in answer && !lane.hasStarted) decides(answer.existing);
        else if (answer.done && isFirst && name === 'claim') decides(undefined);
      },
    });
  }

  function refusal(name: string, existing: IdempotencyRecord | undefined): string {
    if (existing === undefined) return 'refused: no record';
    const whose = `${existing.status} of request ${ownerOf(existing)}`;
    lane.note(
      'table',
      `The table refuses the ${nounOf(name)} of request ${lane.number}, and sends back what it has: ${whose}.`,
    );
    return `refused: ${whose}`;
  }

  /** Which row of the table of decisions the core takes now. */
  function decides(existing: IdempotencyRecord | undefined): void {
    const { claim } = lane;
    if (claim === undefined) return;
    const policy = { clockSkewMillis: SKEW_MILLIS, onExpiredLease: lane.setup.expired };
    const { row, sentence } = decisionOf(existing, claim, policy, lane.runtime.now());
    lane.note('decision', `Request ${lane.number} meets ${sentence}`, row);
  }

  function send<T>(question: Question, sent = 1): Promise<T> {
    return new Promise((resolve, reject) => {
      const { promise, post } = envelope<T>(question, sent);
      promise.then(resolve, reject);
      void lane.post(post);
    });
  }

  function envelope<T>(question: Question, sent: number) {
    const { name, text, record } = question;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let answer: unknown;
    let hasFailed = false;
    const post = {
      name,
      to: 'table' as const,
      text: sent > 1 ? `${text} (sent again)` : text,
      isAgain: sent > 1,
      async apply() {
        const before = await session.store.read(record.id);
        answer = await question.ask();
        const after = await session.store.read(record.id);
        session.remember(record.id, lane.key);
        const isStray = hasFailed || !lane.isAlive;
        witness(question, answer as never, before, after, isStray);
        if (question.wrote(answer as never)) lane.note('table', sentenceOf(lane.number, name, after));
        return question.say(answer as never);
      },
      settle() {
        if (hasFailed) return;
        question.heard?.(answer as never);
        resolve(answer as T);
      },
      lose() {
        hasFailed = true;
        const what = `${answer === undefined ? 'The' : 'The answer to the'} ${nounOf(name)} of process ${lane.number} is lost`;
        if (sent < SDK_TRIES) {
          lane.note('loss', `${what}, and its SDK sends the ${nounOf(name)} again.`);
          send<T>(question, sent + 1).then(resolve, reject);
          return;
        }
        lane.note('loss', `${what}, and its SDK gives up.`);
        lane.tell({ type: 'failed', retryable: true });
        reject(new Error('socket hang up'));
      },
    };
    return { promise, post };
  }

  function witness(
    { name, wrote }: Question,
    answer: never,
    before: IdempotencyRecord | undefined,
    after: IdempotencyRecord | undefined,
    stray: boolean,
  ): void {
    const { key } = lane;
    const found = seenOf(before);
    if (wrote(answer)) {
      lane.tell({ type: 'wrote', key, before: found, after: seenOf(after), stray });
      if (name === 'transaction') lane.tell({ type: 'effect', key });
    } else if (name !== 'read') lane.tell({ type: 'conflicted', key, found });
    else if (!stray) lane.tell({ type: 'looked', key, found });
  }
}

const DONE: Readonly<Record<string, string>> = {
  claim: 'won',
  takeover: 'won',
  completion: 'stored',
  transaction: 'stored',
};

/** As the kill table names it. */
function nameOf(record: IdempotencyRecord, expected: Expected): string {
  if (record.status === 'COMPLETED') return 'completion';
  if (record.status === 'RELEASED') return 'release';
  if (expected.owner !== record.owner) return 'takeover';
  return record.checkpoints === undefined ? 'extension' : 'checkpoint';
}

function textOf(name: string, record: IdempotencyRecord): string {
  if (record.status !== 'IN_PROGRESS') return name === 'release' ? 'let a retry execute' : 'outcome';
  const until = `until ${seconds(record.leaseUntil - BEGINNING)}`;
  if (name === 'takeover') return `attempt ${record.attempt} ${until}`;
  return name === 'checkpoint' ? `done: ${Object.keys(record.checkpoints ?? {}).join(', ')}` : until;
}

function sentenceOf(lane: number, name: string, after: IdempotencyRecord | undefined): string {
  const lease = after?.status === 'IN_PROGRESS' ? seconds(after.leaseUntil - BEGINNING) : '';
  switch (name) {
    case 'claim':
      return `The table writes the claim of request ${lane}: IN_PROGRESS, attempt 1, lease until ${lease}.`;
    case 'takeover':
      return `Request ${lane} takes the record over: attempt ${after?.attempt}, lease until ${lease}.`;
    case 'completion':
      return `The table stores the outcome of request ${lane}: the record is COMPLETED.`;
    case 'transaction':
      return `In one write, request ${lane} pays and stores the outcome: the record is COMPLETED.`;
    case 'release':
      return `Request ${lane} releases the record: a retry may execute.`;
    case 'checkpoint':
      return `The record of request ${lane} keeps what is done.`;
    case 'removal':
      return `Request ${lane} takes its claim back.`;
    default:
      return `The lease of request ${lane} lasts until ${lease}.`;
  }
}
