import type { IdempotencyRecord } from '../../src/core/record/record.ts';
import type { Seen } from '../lib/history.ts';
import { parse, type Row, type Statement } from './sql.ts';
import { type Answered, type Rows, seen } from './table.ts';

/** What PostgreSQL answers: one row with one column, or an error. */
export type SqlAnswer = { readonly text: string } | { readonly error: Error };

/** A connection, and what its transaction has done. */
export interface Session {
  /** Rows that it has written and not committed: no other session sees them or writes to them. `undefined` for a deleted row. */
  writes?: Map<string, Row | undefined> | undefined;
  effects: string[];
  /** Whether one of its statements has failed: then all others do. */
  hasFailed: boolean;
  /** Whether nothing more comes from its client. */
  isGone(): boolean;
}

const PURGE_AFTER_SECONDS = 3600;
/** "PostgreSQL Error Codes", appendix A of its manual. */
export const WAITED_TOO_LONG = '55P03';
const IN_FAILED_TRANSACTION = '25P02';
const NOT_NULL = '23502';
const NOT_UNIQUE = '23505';

export function sqlError(code: string): Error {
  return Object.assign(new Error(`simulated ${code}`), { code, severity: 'ERROR' });
}

/**
 * PostgreSQL with READ COMMITTED, as much as the store needs of it: a statement sees what was committed when it began, waits for
 * another session that writes to its row, and then compares the row as that session has left it.
 */
export class SqlServer implements Rows {
  readonly #rows = new Map<string, Row>();
  readonly #effects = new Set<string>();
  readonly #sessions = new Set<Session>();

  ids(): Iterable<string> {
    return this.#rows.keys();
  }

  seen(id: string): Seen | undefined {
    const row = this.#rows.get(id);
    return row && seen(recordOf(row));
  }

  expiration(id: string): number {
    return Number(this.#rows.get(id)?.['expiration'] ?? 0) + PURGE_AFTER_SECONDS;
  }

  delete(id: string): void {
    this.#rows.delete(id);
  }

  hasEffect(name: string): boolean {
    return this.#effects.has(name);
  }

  /** It notices that its clients have gone. */
  endAll(): void {
    for (const session of this.#sessions) this.end(session);
  }

  begin(session: Session): void {
    session.writes = new Map();
    session.effects = [];
    session.hasFailed = false;
    this.#sessions.add(session);
  }

  /** Rolls back. */
  end(session: Session): void {
    session.writes = undefined;
    session.effects = [];
    this.#sessions.delete(session);
  }

  /** As PostgreSQL does it: a transaction that has failed is rolled back. Outside of a transaction, it does nothing. */
  commit(session: Session): Answered<SqlAnswer> {
    const { writes = new Map<string, Row | undefined>(), effects, hasFailed } = session;
    this.end(session);
    if (!hasFailed) {
      for (const [id, row] of writes) this.#put(id, row);
      for (const effect of effects) this.#effects.add(effect);
    }
    const wrote = !hasFailed && writes.size > 0;
    return { answer: { text: '' }, wrote, pending: !wrote, effects: hasFailed ? 0 : effects.length };
  }

  /** A statement of the handlers: an effect, with which PostgreSQL itself may find something wrong. */
  effect(session: Session, name: string | null, isUnique: boolean): Answered<SqlAnswer> {
    const isThere = name !== null && (this.#effects.has(name) || session.effects.includes(name));
    const wrong = name === null ? NOT_NULL : isUnique && isThere ? NOT_UNIQUE : undefined;
    if (session.hasFailed || wrong !== undefined) return { ...failed(session, wrong), itemsRefused: true };
    session.effects.push(String(name));
    return { answer: { text: '' }, wrote: false, pending: true };
  }

  /**
   * @param snapshot what was there when it began, where it has begun before
   * @returns what was there, where it has to wait
   */
  execute(
    session: Session | undefined,
    text: string,
    values: readonly unknown[],
    snapshot?: { readonly row: Row | undefined },
  ): Answered<SqlAnswer> | { readonly waits: { readonly row: Row | undefined } } {
    if (session?.hasFailed === true) return failed(session);
    const statement = parse(text, values);
    const { id, kind } = statement;
    if (kind !== 'read') {
      const holder = this.#holderOf(statement, session);
      if (holder !== undefined && snapshot === undefined) return { waits: { row: this.#rows.get(id) } };
      if (holder?.isGone() === true) this.end(holder);
      else if (holder !== undefined) return failed(session, WAITED_TOO_LONG);
    }
    const own = session?.writes?.has(id) === true;
    const current = own ? session?.writes?.get(id) : this.#rows.get(id);
    const isWritten = kind !== 'read' && statement.isMet(current);
    const before = own || snapshot === undefined ? current : snapshot.row;
    const existing = before !== undefined && statement.isAnswer(before, isWritten) ? before : null;
    if (isWritten) {
      const row = kind === 'delete' ? undefined : ({ ...current, ...statement.values } as Row);
      if (session?.writes === undefined) this.#put(id, row);
      else session.writes.set(id, row);
    }
    const answer = { text: JSON.stringify({ done: isWritten, existing }) };
    const isPending = isWritten && session?.writes !== undefined;
    return { answer, wrote: isWritten && !isPending, pending: isPending };
  }

  /** An update sees no row that another transaction has inserted and not committed. */
  #holderOf({ id, kind }: Statement, session: Session | undefined): Session | undefined {
    if (kind !== 'insert' && !this.#rows.has(id)) return undefined;
    return [...this.#sessions].find((other) => other !== session && other.writes?.has(id) === true);
  }

  #put(id: string, row: Row | undefined): void {
    if (row === undefined) this.#rows.delete(id);
    else this.#rows.set(id, row);
  }
}

function failed(session: Session | undefined, code = IN_FAILED_TRANSACTION): Answered<SqlAnswer> {
  if (session !== undefined) session.hasFailed = true;
  return { answer: { error: sqlError(code) }, wrote: false, pending: true };
}

/** A row, read here from the documented columns and not by the code under test. */
function recordOf(row: Row): IdempotencyRecord {
  const { lease_until: leaseUntil, outcome_type: type, outcome: text, checkpoints, ...others } = row;
  const outcome = { type, ...(text !== null && (type === 'NOT_REPLAYABLE' ? { reason: text } : { json: text })) };
  const steps = checkpoints == null ? {} : { checkpoints: JSON.parse(String(checkpoints)) };
  return { ...others, leaseUntil, outcome, ...steps } as unknown as IdempotencyRecord;
}
