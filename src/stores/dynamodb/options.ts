import { refuseUnknownOptions } from '../../core/options.ts';
import { optionError, wrongOption } from '../../errors.ts';
import { isObject } from '../../json.ts';
import { type OutcomeCodec, requireCodec } from './codec.ts';

/** Names of the record's attributes in the table. */
export interface AttributeNames {
  /** The partition key. @default 'id' */
  readonly id: string;
  /** @default 'status' */
  readonly status: string;
  /** @default 'owner' */
  readonly owner: string;
  /** @default 'attempt' */
  readonly attempt: string;
  /** @default 'leaseUntil' */
  readonly leaseUntil: string;
  /** The table's TTL attribute: a number of epoch seconds. @default 'expiration' */
  readonly expiration: string;
  /** @default 'fingerprint' */
  readonly fingerprint: string;
  /** @default 'outcome' */
  readonly outcome: string;
  /** How to read `outcome`. @default 'encoding' */
  readonly encoding: string;
  /** How many items beside the record hold an outcome that exceeds one. @default 'parts' */
  readonly parts: string;
  /** The digest of what they hold. @default 'digest' */
  readonly digest: string;
  /** A map of the results of steps. @default 'checkpoints' */
  readonly checkpoints: string;
  /** Orders the outcomes of an execution that has not ended. @default `'provisional'` */
  readonly revision: string;
  /** The token of the transaction that wrote the outcome. @default `'transaction'` */
  readonly transaction: string;
}

/** What both DynamoDB stores take. */
export interface TableOptions {
  /**
   * The table: a partition key of type string, and TTL enabled on the expiration attribute.
   * `undefined` (an environment variable that is not set) is refused at construction.
   */
  readonly tableName: string | undefined;
  /** Names of attributes that differ from the defaults, so that an existing table serves. */
  readonly attributes?: Partial<AttributeNames>;
  /**
   * For a table with a sort key: its attribute name, and the value that every idempotency record gets there.
   * @default none
   */
  readonly sortKey?: { readonly name: string; readonly value: string };
  /**
   * Encodes outcomes before they are written, and decodes them for a replay: encryption with your
   * own key, for example. Records that were written without it stay readable. @default none:
   * DynamoDB's own encryption at rest
   */
  readonly codec?: OutcomeCodec;
}

export interface ResolvedTableOptions {
  readonly tableName: string;
  readonly names: AttributeNames;
  readonly sortKey: Readonly<Record<string, string>>;
  readonly codec: OutcomeCodec | undefined;
}

const OPTION_NAMES = ['tableName', 'attributes', 'sortKey', 'codec'];

export const ATTRIBUTES = [
  'id',
  'status',
  'owner',
  'attempt',
  'leaseUntil',
  'expiration',
  'fingerprint',
  'outcome',
  'encoding',
  'parts',
  'digest',
  'checkpoints',
  'revision',
  'transaction',
] as const satisfies readonly (keyof AttributeNames)[];

const DEFAULT_NAMES = {
  ...Object.fromEntries(ATTRIBUTES.map((name) => [name, name])),
  revision: 'provisional',
} as Record<(typeof ATTRIBUTES)[number], string> satisfies AttributeNames;

/**
 * `more`: the names of the options that only this store takes.
 *
 * @throws TypeError that names the wrong option
 */
export function resolveTableOptions(options: TableOptions, ...more: readonly string[]): ResolvedTableOptions {
  refuseUnknownOptions(options, [...OPTION_NAMES, ...more]);
  const { tableName, attributes = {}, sortKey, codec } = options;
  if (!isText(tableName) || tableName.trim() === '') {
    throw optionError('tableName', 'is required. Is the environment variable that should hold it set?');
  }
  if (sortKey !== undefined && !isSortKey(sortKey)) {
    throw optionError('sortKey', 'must be { name, value }, both non-empty strings');
  }
  const sortAttribute = sortKey ? { [sortKey.name]: sortKey.value } : {};
  return {
    tableName,
    names: resolveNames(attributes, sortAttribute),
    sortKey: sortAttribute,
    codec: codec === undefined ? undefined : requireCodec(codec),
  };
}

function isSortKey(sortKey: TableOptions['sortKey']): boolean {
  const { name, value, ...unknown } = sortKey ?? {};
  return isText(name) && isText(value) && Object.keys(unknown).length === 0;
}

function resolveNames(attributes: Partial<AttributeNames>, sortAttribute: object): AttributeNames {
  if (!isObject(attributes) || Array.isArray(attributes)) {
    throw wrongOption('attributes', "an object of names, such as { id: 'pk' }", attributes);
  }
  for (const [attribute, name] of Object.entries(attributes)) {
    if (!Object.hasOwn(DEFAULT_NAMES, attribute) || !isText(name) || name in Object.prototype) {
      throw optionError(`attributes.${attribute}`, `must be a name for one of ${ATTRIBUTES.join(', ')}`);
    }
  }
  const names = { ...DEFAULT_NAMES, ...attributes };
  const all = [...Object.values(names), ...Object.keys(sortAttribute)];
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice) throw optionError('attributes', `two attributes have the name '${twice}'`);
  return names;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
