import { type PostgresTable, resolveTable } from './names.ts';

/**
 * The table of the records, as SQL for your migrations: it can run again without harm. It needs `CREATE` on the schema. The
 * role of the store needs `SELECT, INSERT, UPDATE, DELETE` on the table, and nothing else.
 *
 * @throws TypeError that names the wrong option
 */
export function postgresSchema(options: PostgresTable = {}): string {
  const { table, index } = resolveTable(options);
  return `-- Records of middy-idempotency. A row is one request.
CREATE TABLE IF NOT EXISTS ${table} (
  id text COLLATE "C" PRIMARY KEY,
  status text NOT NULL CHECK (status IN ('IN_PROGRESS', 'COMPLETED', 'RELEASED')),
  owner text NOT NULL,
  attempt integer NOT NULL,
  lease_until double precision, -- epoch milliseconds
  expiration bigint NOT NULL, -- epoch seconds
  fingerprint text,
  outcome_type text CHECK (outcome_type IN ('RETURNED', 'THREW', 'NOT_REPLAYABLE')),
  outcome text, -- JSON
  checkpoints text, -- JSON
  revision integer,
  transaction text
);
CREATE INDEX IF NOT EXISTS ${index} ON ${table} (expiration);
`;
}
