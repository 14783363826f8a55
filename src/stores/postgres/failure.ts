import { storeUnavailable } from '../../core/record/failures.ts';
import { IdempotencyError } from '../../errors.ts';

/** `'refused'`, `'record refused'` and `'busy'`: PostgreSQL has answered, and has written nothing. */
type Kind = 'refused' | 'record refused' | 'busy' | 'unanswered';

const GRANTS = 'Grant the role SELECT, INSERT, UPDATE and DELETE on the table, and USAGE on its schema.';
const TABLE = 'Create the table: npx middy-idempotency schema postgres.';
const LOGIN = 'Correct the role and the password of the client.';
const FULL = 'Give the database more connections, memory or disk; RDS Proxy shares connections.';
const DATA = 'The record has a value that PostgreSQL does not take.';

/** By SQLSTATE, or by its class ("PostgreSQL Error Codes", appendix A of its manual). */
const EXPLAINED: Readonly<Record<string, readonly [Kind, string]>> = {
  '42P01': ['refused', TABLE],
  '42703': ['refused', `The table has other columns. ${TABLE}`],
  '3F000': ['refused', TABLE],
  '3D000': ['refused', 'Create the database, or correct its name in the client.'],
  '42501': ['refused', GRANTS],
  '28': ['refused', LOGIN],
  '25006': ['busy', 'The database is read-only: connect to the primary, by its writer endpoint.'],
  '40': ['busy', 'Other transactions were in the way all the time.'],
  '55P03': ['busy', 'A transaction was writing to the record all the time.'],
  '57014': ['busy', 'The statement took too long: look at `statement_timeout`, and at the load of the database.'],
  '53': ['busy', FULL],
  '22': ['record refused', DATA],
  '54': ['record refused', DATA],
  '08': ['unanswered', 'Look at the network path to PostgreSQL.'],
  '57P': ['unanswered', 'PostgreSQL is starting, stopping or failing over.'],
  '58': ['unanswered', 'PostgreSQL has failed: look at its log.'],
  XX: ['unanswered', 'PostgreSQL has failed: look at its log.'],
};

/** Of a client: nothing was sent. */
const NOT_SENT: readonly (readonly [RegExp, string])[] = [
  [/certificate|self.signed|does not support SSL/i, 'Correct `ssl` of the client: RDS needs its certificate bundle.'],
  [/password|SASL|SCRAM/i, LOGIN],
  [
    /after calling end|CONNECTION_ENDED|PGlite is closed/i,
    'The client has been closed: keep it open as long as the function runs.',
  ],
];

/** A pool had no connection in time: nothing was sent. */
const NO_CONNECTION = /timeout exceeded when trying to connect/i;

/** The five characters of an error that PostgreSQL has answered; `undefined` where it has not. */
export function sqlStateOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown };
  const { severity } = (error ?? {}) as { readonly severity?: unknown };
  return typeof code === 'string' && severity !== undefined && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** A deadlock, or a serialization failure: the same transaction may succeed now. */
export function isTransient(error: unknown): boolean {
  return ['40001', '40P01'].includes(sqlStateOf(error) ?? '');
}

/** Whether PostgreSQL has answered, so that the transaction is certainly rolled back. */
export function isAnswered(error: unknown): boolean {
  return sqlStateOf(error) !== undefined && explain(error)[0] !== 'unanswered';
}

/** What a client threw, as `STORE_UNAVAILABLE`. The advice has PostgreSQL's own words, and never its `detail`: that has data. */
export function unavailable(error: unknown, table: string): IdempotencyError {
  if (error instanceof IdempotencyError) return error;
  const [kind, advice] = explain(error);
  const { message = '' } = error instanceof Error ? error : {};
  return storeUnavailable({
    cause: error,
    advice: `${advice} Table ${table}: ${[sqlStateOf(error), message].filter(Boolean).join(': ')}`,
    retryable: kind === 'busy' || kind === 'unanswered',
    unanswered: kind === 'unanswered' || undefined,
    recordRefused: kind === 'record refused' || undefined,
  });
}

function explain(error: unknown): readonly [Kind, string] {
  const state = sqlStateOf(error);
  if (state === undefined) return explainClient(error);
  const known = EXPLAINED[state] ?? EXPLAINED[state.slice(0, 3)] ?? EXPLAINED[state.slice(0, 2)];
  return known ?? ['refused', 'PostgreSQL refused the statement.'];
}

function explainClient(error: unknown): readonly [Kind, string] {
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  const text = `${code} ${message}`;
  if (NO_CONNECTION.test(text))
    return ['busy', 'The pool had no free connection in time: give it more, or shorten the work.'];
  for (const [pattern, advice] of NOT_SENT) if (pattern.test(text)) return ['refused', advice];
  return ['unanswered', 'PostgreSQL could not be reached: look at host, port and security groups.'];
}
