import { recordInvalid } from '../core/record/failures.ts';
import type { ReplayFormat } from '../core/record/outcome.ts';
import { returned } from '../core/record/outcome.ts';
import type { IdempotencyRecord } from '../core/record/record.ts';
import { isObject } from '../json.ts';
import type { LegacyIdentity } from './legacy-id.ts';
import type { Names } from './options.ts';

/**
 * The attribute by which a mirrored item says whose it is: the id of the record that it mirrors. While it is INPROGRESS, that
 * record is the truth, and this item only its shadow.
 */
export const MIRROR_OF = 'mirror_of';

/** The owner of an execution of the old code. */
const LEGACY_OWNER = 'powertools';

interface Reading {
  /** The id of our record. */
  readonly recordId: string;
  readonly fingerprint: string | undefined;
  readonly legacy: LegacyIdentity;
  readonly names: Names;
  readonly format: ReplayFormat;
  readonly clockSkewMillis: number;
}

/**
 * What Powertools has, as a record that `decide` judges like any other.
 *
 * @throws IdempotencyError `RECORD_INVALID` when the item is none that Powertools writes
 */
export function asRecord(item: Readonly<Record<string, unknown>>, reading: Reading): IdempotencyRecord | undefined {
  const { recordId, names, legacy, format } = reading;
  const { [names.status]: status, [names.validation]: validation } = item;
  if (status === 'INPROGRESS' && item[MIRROR_OF] === recordId) return undefined;
  const isOther = legacy.validation !== undefined && typeof validation === 'string' && validation !== legacy.validation;
  const base = {
    id: recordId,
    owner: LEGACY_OWNER,
    attempt: 1,
    // Without a validation, nothing is known of the payload, and there is nothing to compare.
    fingerprint: isOther
      ? `powertools ${validation}`
      : legacy.validation && validation
        ? reading.fingerprint
        : undefined,
  };
  const expiration = numberIn(item, names.expiry);
  if (status === 'COMPLETED') {
    const outcome = format.encode(returned(item[names.data])).stored;
    return { ...base, status, expiration, outcome };
  }
  if (status !== 'INPROGRESS') throw recordInvalid(`The item's '${names.status}' in Powertools' table is`);
  const until = item[names.inProgressExpiry];
  const leaseUntil = typeof until === 'number' ? until : expiration * 1000;
  // Powertools would take over at the end of the expiration, too. An execution that is still running comes first.
  const afterLease = Math.ceil((leaseUntil + reading.clockSkewMillis) / 1000);
  return { ...base, status: 'IN_PROGRESS', leaseUntil, expiration: Math.max(expiration, afterLease) };
}

function numberIn(item: Readonly<Record<string, unknown>>, name: string): number {
  const value = item[name];
  if (typeof value === 'number') return value;
  throw recordInvalid(`The item's '${name}' in Powertools' table is`);
}

/** DynamoDB takes more: the names of the other attributes, and their values, need little. */
const MAX_DATA_BYTES = 390 * 1024;
/** AWS: "Quotas and limits in Amazon DynamoDB", nested attribute depth. One level is the item's. */
const MAX_DEPTH = 31;
/** The magnitude of a number, likewise. A number beyond 2^53 is refused by the SDK, because it is not exact. */
const MIN_NUMBER = 1e-130;

/** DynamoDB refuses the first. The SDK drops the second, and takes an object with the third for another class. */
const UNFIT_NAMES = ['', '__proto__', 'constructor'];

/** Whether an attribute can hold the value, which comes from JSON: its bytes, its depth and its numbers. */
export function fitsInItem(data: unknown): boolean {
  return bytesOf(data, 0) <= MAX_DATA_BYTES;
}

/** Of the attribute, or a little more (AWS: "DynamoDB item sizes and formats"); infinite where no attribute can hold it. */
function bytesOf(value: unknown, depth: number): number {
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY;
  if (typeof value === 'string') return bytesOfText(value);
  if (typeof value === 'number') return isStorable(value) ? String(value).length / 2 + 2 : Number.POSITIVE_INFINITY;
  if (!isObject(value)) return 1;
  const isList = Array.isArray(value);
  let sum = 3;
  for (const [name, member] of Object.entries(value)) {
    if (UNFIT_NAMES.includes(name)) return Number.POSITIVE_INFINITY;
    sum += 1 + (isList ? 0 : bytesOfText(name)) + bytesOf(member, depth + 1);
  }
  return sum;
}

/** What is no UTF-16 has no UTF-8, either. */
function bytesOfText(text: string): number {
  return text.isWellFormed() ? Buffer.byteLength(text) : Number.POSITIVE_INFINITY;
}

function isStorable(value: number): boolean {
  const magnitude = Math.abs(value);
  return value === 0 || (magnitude >= MIN_NUMBER && magnitude <= Number.MAX_SAFE_INTEGER);
}
