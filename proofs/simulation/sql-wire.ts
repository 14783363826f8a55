import type { RecordStore } from '../../src/core/record/store.ts';
import { postgresStore, type SqlItem } from '../../src/stores/postgres.ts';
import type { CallRun } from './call.ts';
import { SQL_EFFECT, type SqlClient } from './effects.ts';
import type { Failure } from './network.ts';
import { type Session, type SqlAnswer, type SqlServer, sqlError, WAITED_TOO_LONG } from './sql-server.ts';
import type { Applied } from './table.ts';
import type { World } from './world.ts';

/** `postgresStore` itself, with a pool whose connections are simulated. A connection belongs to a process, and ends with it. */
export function sqlStore(world: World, server: SqlServer, isAlive: () => boolean): RecordStore<object> {
  const client = {
    totalCount: 0,
    query: (text: string, values: readonly unknown[]) => new Connection(world, server).send(text, values),
    connect: async () => new Connection(world, server, isAlive),
  };
  return postgresStore({ client: client as never }) as RecordStore<SqlItem> as RecordStore<object>;
}

const CONNECTION_ENDED = 'Connection terminated unexpectedly';

class Connection implements SqlClient {
  readonly #world: World;
  readonly #server: SqlServer;
  /** Absent where each statement is a transaction of its own. */
  readonly #session: Session | undefined;
  #recordId = '';
  #isBroken = false;

  constructor(world: World, server: SqlServer, isAlive?: () => boolean) {
    this.#world = world;
    this.#server = server;
    const isGone = () => this.#isBroken || isAlive?.() === false;
    this.#session = isAlive && { effects: [], hasFailed: false, isGone };
  }

  query(text: string, values: readonly unknown[] = []): Promise<{ readonly rows: unknown[] }> {
    return this.send(text, values);
  }

  release(isBroken: boolean): void {
    this.#isBroken ||= isBroken;
  }

  on(): void {}

  removeListener(): void {}

  async send(text: string, values: readonly unknown[]): Promise<{ readonly rows: unknown[] }> {
    if (this.#isBroken) throw new Error(CONNECTION_ENDED);
    const verb = verbOf(text);
    const call = this.#world.currentCall();
    if (values.length > 1) this.#recordId = String(values[1]);
    let snapshot: Parameters<SqlServer['execute']>[3];
    const asked = this.#world.network.ask<SqlAnswer>({
      verb,
      id: verb === 'read' ? String(values[0]) : this.#recordId,
      apply: () => {
        const applied = this.#apply(text, values, snapshot);
        if ('waits' in applied) snapshot = applied.waits as typeof snapshot;
        return applied;
      },
      failure: (why) => this.#failure(call, verb, why, '42501'),
      busy: () => this.#failure(call, verb, 'refused', '40001'),
    });
    const answer = await (this.#session === undefined ? asked : inTime(call, asked));
    if (answer === EXPIRED) {
      if (verb === 'an effect') this.#refused(call, verb, EXPIRED);
      throw new Error(EXPIRED);
    }
    if ('error' in answer) {
      // What another transaction has not committed was in its way.
      if ((answer.error as { code?: unknown }).code === WAITED_TOO_LONG) {
        const found = this.#server.seen(this.#recordId);
        call.record({ type: 'conflicted', key: call.plan.key, found });
      }
      throw answer.error;
    }
    return { rows: [{ answer: answer.text }] };
  }

  #apply(text: string, values: readonly unknown[], snapshot: Parameters<SqlServer['execute']>[3]): Applied<SqlAnswer> {
    const session = this.#session;
    if (session === undefined) return this.#server.execute(undefined, text, values, snapshot);
    const verb = verbOf(text);
    if (verb === 'begin') {
      this.#server.begin(session);
      return DONE;
    }
    // A statement that was on its way when the connection ended.
    if (session.writes === undefined) return DONE;
    switch (verb) {
      case 'commit':
        return this.#server.commit(session);
      case 'rollback': {
        const hadClaimed = (session.writes?.size ?? 0) > 0;
        this.#server.end(session);
        return { ...DONE, hasLooked: hadClaimed };
      }
      case 'an effect':
        return this.#server.effect(session, values[0] as string | null, text.includes('unique'));
      case 'the last statement':
        return session.hasFailed ? { ...DONE, answer: { error: sqlError('25P02') } } : DONE;
      default:
        return this.#server.execute(session, text, values, snapshot);
    }
  }

  /** What PostgreSQL refuses rolls the transaction back. A rollback that is not answered leaves a connection of no use. */
  #failure(call: CallRun, verb: string, why: Failure, code: string): Error {
    const session = this.#session;
    if (why === 'no answer' || verb === 'rollback') {
      this.#isBroken = session !== undefined;
      return new Error(CONNECTION_ENDED);
    }
    const error = sqlError(code);
    if (session === undefined) return error;
    session.hasFailed = true;
    // With the record, it is what the handler has written that is refused.
    if (session.writes?.has(this.#recordId) === true) this.#refused(call, verb, error.message);
    if (verb === 'commit') this.#server.end(session);
    return error;
  }

  #refused(call: CallRun, verb: string, text: string): void {
    const { key, script } = call.plan;
    const { worksInSql = false } = this.#world.plan;
    // Work that fails says so itself.
    if (script.transaction === undefined || (worksInSql && verb === 'an effect')) return;
    call.record({ type: 'itemsRefused', key, text });
    // It still has the record for itself.
    if (worksInSql) call.record({ type: 'looked', key, found: this.#server.seen(this.#recordId) });
  }
}

/** `query_timeout` of `pg`: a transaction that hangs must not keep its locks. */
const QUERY_MILLIS = 3000;

const EXPIRED = 'Query read timeout';

async function inTime<T>(call: CallRun, answer: Promise<T>): Promise<T | typeof EXPIRED> {
  const limit = call.process.runtime.delay(QUERY_MILLIS);
  try {
    return await Promise.race([answer, limit.elapsed.then((): typeof EXPIRED => EXPIRED)]);
  } finally {
    limit.cancel();
  }
}

const DONE = { answer: { text: '' }, wrote: false, pending: true } as const;

function verbOf(text: string): string {
  if (['begin', 'commit', 'rollback'].includes(text)) return text;
  if (text.startsWith(SQL_EFFECT)) return 'an effect';
  if (text === "select '' as answer") return 'the last statement';
  if (text.includes('insert into')) return 'insert';
  if (text.includes('update ')) return 'replace';
  return text.includes('delete from') ? 'remove' : 'read';
}
