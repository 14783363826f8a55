import { refuseUnknownOptions } from '../../core/options.ts';
import { optionError } from '../../errors.ts';

/** Where the records are. */
export interface PostgresTable {
  /** @default 'idempotency' */
  readonly tableName?: string;
  /** @default the first schema of the role's `search_path` */
  readonly schema?: string;
}

/** PostgreSQL cuts a longer name in silence ("Identifiers and Key Words", NAMEDATALEN). */
const MAX_NAME_BYTES = 63;

export interface ResolvedTable {
  /** With its schema, in quotation marks. */
  readonly table: string;
  /** The name of the index on the expiration, in quotation marks. */
  readonly index: string;
}

/** `more`: the names of other options. @throws TypeError that names the wrong option */
export function resolveTable(options: PostgresTable, ...more: readonly string[]): ResolvedTable {
  refuseUnknownOptions(options, ['tableName', 'schema', ...more]);
  const { tableName = 'idempotency', schema } = options;
  const table = quoted('tableName', tableName);
  return {
    table: schema === undefined ? table : `${quoted('schema', schema)}.${table}`,
    index: quoted('tableName', `${tableName.slice(0, MAX_INDEXED)}${INDEX_ENDING}`),
  };
}

const INDEX_ENDING = '_expiration';
const MAX_INDEXED = 40;

/** A name as SQL: any characters, and never anything but a name. */
function quoted(option: string, name: unknown): string {
  if (typeof name !== 'string' || name === '' || name.includes('\0') || Buffer.byteLength(name) > MAX_NAME_BYTES) {
    throw optionError(option, `must be a name of 1 to ${MAX_NAME_BYTES} bytes, such as 'idempotency'`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}
