import { optionError } from '../../errors.ts';

/** A `Pool` of `pg`. Its methods have more forms; these are used. */
export interface PgPool {
  query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }>;
  connect(): Promise<unknown>;
  readonly totalCount: number;
}

/** What `postgres()` of the package `postgres` gives. */
export interface PostgresJs {
  // biome-ignore lint/suspicious/noExplicitAny: its parameters have a type that only its package names
  unsafe(query: string, parameters?: any[]): PromiseLike<unknown>;
  // biome-ignore lint/suspicious/noExplicitAny: the transaction's client, which has a type of the user's own types
  begin(work: (tx: any) => unknown): Promise<unknown>;
}

/** A `PGlite`. */
export interface Pglite {
  query(query: string, params?: unknown[]): Promise<{ readonly rows: unknown[] }>;
  // biome-ignore lint/suspicious/noExplicitAny: the transaction's client, which only its package names
  transaction(work: (tx: any) => Promise<unknown>): Promise<unknown>;
}

export type PostgresClient = PgPool | PostgresJs | Pglite;

/** The client of a transaction: `PoolClient` of `pg`, `TransactionSql` of `postgres`, `Transaction` of PGlite. */
export type TransactionClient<Client> = Client extends { readonly totalCount: number }
  ? Client extends { connect: { (): Promise<infer Tx>; (...args: never): unknown } }
    ? Tx
    : unknown
  : Client extends { begin: { (work: (tx: infer Tx) => never): unknown; (...args: never): unknown } }
    ? Tx
    : Client extends { transaction(work: (tx: infer Tx) => never): unknown }
      ? Tx
      : unknown;

/** Asks one statement, whose answer is one row with one text. */
export type Ask = (text: string, values: readonly unknown[]) => Promise<string>;

export interface Connection {
  readonly ask: Ask;
  /**
   * Runs `work` in a transaction. If it throws, the transaction is rolled back, and this throws the same; it throws another
   * error where the rollback got no answer.
   */
  transaction<T>(work: (tx: never, ask: Ask) => Promise<T>): Promise<T>;
}

/** @throws TypeError when it is none of them */
export function connectionOf(client: unknown): Connection {
  const has = (name: string) => typeof (client as Record<string, unknown> | undefined | null)?.[name] === 'function';
  if (has('unsafe') && has('begin')) return postgresJs(client as PostgresJs);
  if (has('query') && has('transaction')) return pglite(client as Pglite);
  if (has('query') && has('connect') && typeof (client as PgPool).totalCount === 'number')
    return pool(client as PgPool);
  const advice = has('query') && has('connect') ? '. A single connection cannot keep transactions apart' : '';
  throw optionError('client', `must be a Pool of pg, what postgres() gives, or a PGlite${advice}`);
}

interface PoolClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>;
  release(destroy: boolean): void;
  on(event: 'error', listener: () => void): void;
  removeListener(event: 'error', listener: () => void): void;
}

function pool(client: PgPool): Connection {
  return {
    ask: asking(client),
    async transaction(work) {
      const tx = (await client.connect()) as PoolClient;
      let isUsable = false;
      // Where no statement is running, a connection that breaks says so by this event alone. Without a listener it ends the process.
      tx.on('error', ignore);
      try {
        await tx.query('begin');
        let result: Awaited<ReturnType<typeof work>>;
        try {
          result = await work(tx as never, asking(tx));
        } catch (error) {
          await tx.query('rollback');
          isUsable = true;
          throw error;
        }
        await tx.query('commit');
        isUsable = true;
        return result;
      } finally {
        tx.removeListener('error', ignore);
        tx.release(!isUsable);
      }
    },
  };
}

const ignore = () => undefined;

function pglite(client: Pglite): Connection {
  return {
    ask: asking(client),
    transaction: (work) => client.transaction((tx) => work(tx as never, asking(tx as Pglite))) as Promise<never>,
  };
}

function postgresJs(client: PostgresJs): Connection {
  const asks =
    (sql: PostgresJs): Ask =>
    async (text, values) =>
      only((await sql.unsafe(text, [...values])) as readonly unknown[]);
  return {
    ask: asks(client),
    transaction: (work) => client.begin((tx) => work(tx as never, asks(tx as PostgresJs))) as Promise<never>,
  };
}

function asking(client: { query(text: string, values: unknown[]): Promise<{ readonly rows: unknown[] }> }): Ask {
  return async (text, values) => only((await client.query(text, [...values])).rows);
}

function only(rows: readonly unknown[]): string {
  return (rows[0] as { readonly answer: string }).answer;
}
