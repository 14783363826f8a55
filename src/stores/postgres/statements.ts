import { COLUMNS } from './row.ts';

/** Every verb is one statement. The answer is one JSON text: it does not depend on how a driver reads types. */
export interface Statements {
  readonly insert: string;
  readonly replace: string;
  readonly remove: string;
  readonly read: string;
  readonly purge: string;
}

const NAMES = Object.keys(COLUMNS);
const TYPES = Object.values(COLUMNS);
const PARAMETERS = TYPES.map((type, index) => `$${index + 2}::${type}`);
const [ID] = PARAMETERS;
const WRITTEN = 'exists (select from written)';

/** A record waits this long after its retention: the clocks of other hosts may be behind. Seconds. */
const PURGE_AFTER_SECONDS = 3600;

/**
 * READ COMMITTED is enough, because each statement changes one row. The unique key decides between inserts. An update that
 * had to wait for another one compares the row again as that one left it ("Transaction Isolation", PostgreSQL).
 *
 * The first parameter is `lock_timeout`, for this transaction alone. `waited` sets it before the write can wait.
 */
export function statementsFor(table: string): Statements {
  const waited = `with waited as materialized (select set_config('lock_timeout', $1::text, true))`;
  const assignments = NAMES.slice(1).map((name, index) => `${name} = ${PARAMETERS[index + 1]}`);
  return {
    insert: `${waited}, written as (
  insert into ${table} (${NAMES.join(', ')}) select ${PARAMETERS.join(', ')} from waited
  on conflict (id) do nothing returning 1)
${answer(table)}`,
    replace: `${waited}, written as (
  update ${table} as r set ${assignments.join(', ')} from waited
  where r.id = ${ID} and ${matches(NAMES.length + 2)} returning 1)
${answer(table, matches(NAMES.length + 2))}`,
    remove: `${waited}, written as (
  delete from ${table} as r using waited where r.id = ${ID} and ${matches(3)} returning 1)
${answer(table, matches(3))}`,
    read: `select json_build_object('existing', (select row_to_json(r) from ${table} as r where r.id = $1::text))::text as answer`,
    purge: `with expired as (
  select id from ${table} where expiration < extract(epoch from now()) - ${PURGE_AFTER_SECONDS}
  order by expiration limit $1::integer),
gone as (
  delete from ${table} as r using expired
  where r.id = expired.id and r.expiration < extract(epoch from now()) - ${PURGE_AFTER_SECONDS} returning 1)
select json_build_object('gone', (select count(*) from gone))::text as answer`,
  };
}

/** Of an `Expected`, whose parameters begin at this number. */
function matches(first: number): string {
  const [owner, status, lease, revision] = [0, 1, 2, 3].map((index) => `$${first + index}`);
  return `r.owner = ${owner}::text and r.status = ${status}::text
    and (${lease}::double precision is null or r.lease_until = ${lease}::double precision)
    and (${revision}::integer is null or r.revision = ${revision}::integer)`;
}

/**
 * The record that was in the way, as it was when the statement began. One that was as expected then has changed meanwhile:
 * it is no answer, and is read again.
 */
function answer(table: string, expected = 'false'): string {
  return `select json_build_object('done', ${WRITTEN}, 'existing', (
  select row_to_json(r) from ${table} as r where r.id = ${ID} and not ${WRITTEN} and (${expected}) is not true))::text as answer`;
}
