import type { IdempotencyRecord } from '../../core/record/record.ts';
import type { Expected, WriteResult } from '../../core/record/store.ts';
import { parsedJson, type RecordMembers } from '../json-record.ts';
import type { Ask } from './client.ts';
import { isTransient, sqlStateOf, unavailable } from './failure.ts';
import { conditionsOf, fromRow, type Parameter, toRow } from './row.ts';
import type { Statements } from './statements.ts';

/** The verbs of a store, on any connection. They throw what the client throws. */
export interface Verbs {
  insert(ask: Ask, record: IdempotencyRecord): Promise<WriteResult>;
  replace(ask: Ask, record: IdempotencyRecord, expected: Expected): Promise<WriteResult>;
  remove(ask: Ask, id: string, expected: Expected): Promise<WriteResult>;
  read(ask: Ask, id: string): Promise<IdempotencyRecord | undefined>;
}

/** @param lockTimeout as PostgreSQL reads it: `1000ms` */
export function verbsOf(statements: Statements, lockTimeout: string): Verbs {
  return {
    async insert(ask, record) {
      try {
        return await write(ask, statements.insert, record.id, toRow(record));
      } catch (error) {
        if (sqlStateOf(error) !== LOCK_NOT_AVAILABLE) throw error;
        return { done: false, existing: { ...UNCOMMITTED, id: record.id } };
      }
    },
    replace: (ask, record, expected) =>
      write(ask, statements.replace, record.id, [...toRow(record), ...conditionsOf(expected)]),
    remove: (ask, id, expected) => write(ask, statements.remove, id, [id, ...conditionsOf(expected)]),
    read,
  };

  async function write(ask: Ask, statement: string, id: string, values: readonly Parameter[]): Promise<WriteResult> {
    const answer = parsed(await ask(statement, [lockTimeout, ...values]));
    if (answer.done === true) return { done: true };
    return { done: false, existing: recordOf(answer.existing) ?? (await read(ask, id)) };
  }

  async function read(ask: Ask, id: string): Promise<IdempotencyRecord | undefined> {
    return recordOf(parsed(await ask(statements.read, [id])).existing);
  }
}

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * In place of a record that a transaction has inserted and not committed: it cannot be read, and its end is not known.
 * It counts as an execution in flight.
 */
const UNCOMMITTED = {
  status: 'IN_PROGRESS',
  owner: '',
  attempt: 1,
  leaseUntil: Number.MAX_SAFE_INTEGER,
  expiration: Number.MAX_SAFE_INTEGER,
} as const;

export function isUncommitted(record: IdempotencyRecord | undefined): boolean {
  return record?.owner === UNCOMMITTED.owner && record.expiration === UNCOMMITTED.expiration;
}

/** A deadlock, or a serialization failure, where the database has set a stricter isolation: tried again at once. */
export const MAX_TRIES = 5;

/** Does it again where other transactions were in the way. @throws IdempotencyError */
export async function answering<T>(table: string, ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (!isTransient(error) || tries === MAX_TRIES) throw unavailable(error, table);
    }
  }
}

interface Answer {
  readonly done?: boolean;
  readonly existing: RecordMembers | null;
}

const parsed = (answer: string) => parsedJson(answer) as Answer;

function recordOf(existing: Answer['existing']): IdempotencyRecord | undefined {
  return existing === null ? undefined : fromRow(existing);
}
