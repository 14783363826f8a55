import { recordInvalid } from '../../core/record/failures.ts';
import type { CompletedRecord, IdempotencyRecord, InProgressRecord, ReleasedRecord } from '../../core/record/record.ts';
import type { IdempotencyError } from '../../errors.ts';
import { isObject, present } from '../../json.ts';
import { ATTRIBUTES, type AttributeNames } from './options.ts';

/** An outcome as its attributes hold it. */
export interface OutcomeFields {
  readonly encoding: string;
  /** Text, or bytes that `encoding` says how to read. */
  readonly outcome?: string | Uint8Array | undefined;
  /**
   * Where the bytes are in items of their own: the digest of all bytes, and the number of items.
   */
  readonly digest?: string | undefined;
  readonly parts?: number | undefined;
}

/** Results of steps, as they are stored: text, packed text, or packed text in items of its own. */
export type StoredCheckpoints = ReadonlyMap<string, string | PackedCheckpoint>;

export type PackedCheckpoint = { readonly encoding: string } & (
  | { readonly value: Uint8Array }
  | { readonly digest: string; readonly parts: number }
);

/**
 * The parts of a record with a format of their own: the outcome of a COMPLETED one, the checkpoints
 * of another.
 */
type Formatted = OutcomeFields | { readonly checkpoints: StoredCheckpoints | undefined };

/** The record as an item that a person can read in the console. */
export function toItem(
  record: IdempotencyRecord,
  { names, keyOf }: { readonly names: AttributeNames; keyOf(id: string): Record<string, string> },
  formatted: Formatted,
): Item {
  const item: Item = keyOf(record.id);
  const values: Item = { ...record, outcome: undefined, checkpoints: undefined, ...formatted };
  for (const name of ATTRIBUTES) if (values[name] !== undefined) item[names[name]] = values[name];
  return item;
}

/** AWS: "Quotas and limits in Amazon DynamoDB", items. */
const MAX_ITEM_BYTES = 400 * 1024;
/** A record with more room than this does not report it. */
const LITTLE_ROOM_BYTES = 64 * 1024;

/** Bytes by which a record with checkpoints may grow; `undefined` where it has enough. */
export function roomIn(item: Item, names: AttributeNames): number | undefined {
  if (item[names.checkpoints] === undefined) return undefined;
  const room = MAX_ITEM_BYTES - bytesOf(item);
  return room < LITTLE_ROOM_BYTES ? room : undefined;
}

/** Of an attribute's value, or a little more (AWS: "DynamoDB item sizes and formats"). */
function bytesOf(value: unknown): number {
  if (typeof value === 'number') return 21;
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.byteLength(value);
  return entriesOf(value as object).reduce(
    (sum, [name, member]) => sum + 1 + Buffer.byteLength(name) + bytesOf(member),
    3,
  );
}

/** What an item holds: a record whose outcome or checkpoints are still to be read. */
type Parsed =
  | (Omit<CompletedRecord, 'outcome'> & { readonly fields: OutcomeFields })
  | Unread<InProgressRecord>
  | Unread<ReleasedRecord>;

type Unread<T> = Omit<T, 'checkpoints'> & { readonly stored: unknown };

/**
 * The record that an item holds. An item that is no record (of another program, tampered with, of a
 * later version) must not lead to an execution.
 *
 * @throws IdempotencyError `RECORD_INVALID`
 */
export function fromItem(item: Item, names: AttributeNames): Parsed {
  const text = (name: Name) => expectType(item, names[name], 'string') as string;
  const number = (name: Name) => expectType(item, names[name], 'number') as number;
  const base = {
    id: text('id'),
    owner: text('owner'),
    attempt: number('attempt'),
    expiration: number('expiration'),
    fingerprint: item[names.fingerprint] === undefined ? undefined : text('fingerprint'),
  };
  // The fencing token. A fraction, or a number that is too large to count, could not be raised by one: the token would come twice.
  if (!Number.isSafeInteger(base.attempt) || base.attempt < 1) throw invalid(names.attempt, base.attempt);
  const stored = item[names.checkpoints];
  const status = text('status');
  switch (status) {
    case 'IN_PROGRESS':
      return present({ ...base, status, leaseUntil: number('leaseUntil'), stored });
    case 'COMPLETED':
      return present({
        ...base,
        status,
        revision: ofType(item[names.revision], 'number'),
        transaction: ofType(item[names.transaction], 'string'),
        fields: fieldsOf(text('encoding'), item, names),
      });
    case 'RELEASED':
      return present({ ...base, status, stored });
    default:
      throw invalid(names.status, status);
  }
}

type Name = keyof AttributeNames;

function fieldsOf(encoding: string, item: Item, names: AttributeNames): OutcomeFields {
  const outcome = item[names.outcome];
  if (outcome !== undefined && typeof outcome !== 'string' && !(outcome instanceof Uint8Array)) {
    throw invalid(names.outcome, outcome);
  }
  return {
    encoding,
    outcome,
    digest: ofType(item[names.digest], 'string'),
    parts: ofType(item[names.parts], 'number'),
  };
}

/** The value, or `undefined` where it has another type. */
function ofType(value: unknown, type: 'string'): string | undefined;
function ofType(value: unknown, type: 'number'): number | undefined;
function ofType(value: unknown, type: string): unknown {
  return typeof value === type ? value : undefined;
}

function expectType(item: Item, name: string, type: 'string' | 'number'): unknown {
  const value = item[name];
  if (typeof value !== type || (type === 'number' && !Number.isFinite(value))) throw invalid(name, value);
  return value;
}

function invalid(name: string, value: unknown): IdempotencyError {
  return recordInvalid(
    `The attribute '${name}' is ${value === undefined ? 'missing' : `a ${typeof value}`} or`,
    '. Does another program write to this table?',
  );
}

/**
 * Items of records, in the types that a record has: texts, numbers, bytes and maps of them. They go
 * without lib-dynamodb, whose document client takes another tenth of a request's CPU
 * (`docs/cost-and-speed.md`). It does not translate the item of a failed condition either. What the
 * user writes (`transact`) goes with it.
 */
export type Item = Record<string, unknown>;
export type MarshalledItem = Record<string, AttributeValue>;
type AttributeValue = { S: string } | { N: string } | { B: Uint8Array } | { M: MarshalledItem };

/**
 * @throws TypeError for a value of another type: a record has none, and nothing may get lost
 * silently
 */
export function marshalled(item: Readonly<Item> | ReadonlyMap<string, unknown>): MarshalledItem {
  return Object.fromEntries(entriesOf(item).map(([name, value]) => [name, attributeOf(value, name)]));
}

function entriesOf(item: object): [string, unknown][] {
  return item instanceof Map ? [...item] : Object.entries(item);
}

function attributeOf(value: unknown, name: string): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (value instanceof Uint8Array) return { B: value };
  if (isObject(value)) return { M: marshalled(value) };
  throw new TypeError(`attribute '${name}' cannot be a ${typeof value}`);
}

export function unmarshalled(item: object): Item {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));
}

/**
 * A value of the types that a record has. Everything else becomes null, which is no attribute of a
 * record and is refused.
 */
function plain(value: unknown): unknown {
  const members: [string, unknown][] = Object.entries(value ?? {});
  const [type, content] = members[0] ?? [];
  if (members.length !== 1) return null;
  if (type === 'S' && typeof content === 'string') return content;
  if (type === 'N') return numberOf(content);
  if (type === 'B' && content instanceof Uint8Array) return content;
  if (type === 'M' && isObject(content)) return unmarshalled(content);
  return null;
}

/**
 * `Number` reads nothing, or an empty list, as zero: with an `expiration` of zero the record would
 * count as expired.
 */
function numberOf(text: unknown): number {
  return typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
}
