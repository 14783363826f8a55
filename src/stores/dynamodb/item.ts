import { recordInvalid } from '../../core/record/failures.ts';
import type { CompletedRecord, IdempotencyRecord, InProgressRecord, ReleasedRecord } from '../../core/record/record.ts';
import type { IdempotencyError } from '../../errors.ts';
import { present } from '../../json.ts';
import type { StoredCheckpoints } from './checkpoints.ts';
import type { Item } from './marshalling.ts';
import type { AttributeNames } from './options.ts';
import type { Table } from './table.ts';

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

/**
 * The parts of a record with a format of their own: the outcome of a COMPLETED one, the checkpoints
 * of another.
 */
export interface Formatted {
  readonly fields?: OutcomeFields;
  readonly checkpoints?: StoredCheckpoints;
}

/** The record as an item that a person can read in the console. */
export function toItem(
  record: IdempotencyRecord,
  { names, keyOf }: Pick<Table, 'names' | 'keyOf'>,
  { fields, checkpoints }: Formatted,
): Item {
  return present({
    ...keyOf(record.id),
    [names.status]: record.status,
    [names.owner]: record.owner,
    [names.attempt]: record.attempt,
    [names.expiration]: record.expiration,
    [names.fingerprint]: record.fingerprint,
    ...(record.status === 'IN_PROGRESS' && { [names.leaseUntil]: record.leaseUntil }),
    ...(record.status === 'COMPLETED' && {
      [names.revision]: record.revision,
      [names.transaction]: record.transaction,
    }),
    ...(fields !== undefined && {
      [names.encoding]: fields.encoding,
      [names.outcome]: fields.outcome,
      [names.digest]: fields.digest,
      [names.parts]: fields.parts,
    }),
    [names.checkpoints]: checkpoints,
  });
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
  const text = (name: keyof AttributeNames) => expectType(item, names[name], 'string') as string;
  const number = (name: keyof AttributeNames) => expectType(item, names[name], 'number') as number;
  const base = present({
    id: text('id'),
    owner: text('owner'),
    attempt: expectAttempt(item, names.attempt),
    expiration: number('expiration'),
    fingerprint: item[names.fingerprint] === undefined ? undefined : text('fingerprint'),
  });
  const stored = item[names.checkpoints];
  const status = text('status');
  switch (status) {
    case 'IN_PROGRESS':
      return { ...base, status, leaseUntil: number('leaseUntil'), stored };
    case 'COMPLETED':
      return present({
        ...base,
        status,
        revision: ofType(item[names.revision], 'number'),
        transaction: ofType(item[names.transaction], 'string'),
        fields: fieldsOf(text('encoding'), item, names),
      });
    case 'RELEASED':
      return { ...base, status, stored };
    default:
      throw invalid(names.status, status);
  }
}

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

/**
 * The fencing token. A fraction, or a number that is too large to count, could not be raised by
 * one: the token would come twice.
 */
function expectAttempt(item: Item, name: string): number {
  const attempt = expectType(item, name, 'number') as number;
  if (!Number.isSafeInteger(attempt) || attempt < 1) throw invalid(name, attempt);
  return attempt;
}

function invalid(name: string, value: unknown): IdempotencyError {
  return recordInvalid(
    `The item's attribute '${name}' is ${value === undefined ? 'missing' : `a ${typeof value}`} or not what this version writes. ` +
      'Does another program write to this table under the same key?',
  );
}
