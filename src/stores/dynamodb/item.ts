import type { IdempotencyRecord, StoredOutcome } from '../../core/record.ts';
import { IdempotencyError } from '../../errors.ts';
import { checkpointsAttribute, checkpointsOf, type MarshalledMap, plainMap } from './checkpoints.ts';
import type { AttributeNames } from './options.ts';

export type Item = Record<string, unknown>;

/**
 * How `outcome` is to be read: the response as JSON, no response (`undefined`), the thrown error as JSON, or the reason
 * why the response is not here.
 */
const ENCODINGS = ['json', 'undefined', 'error+json', 'not-replayable'] as const;
type Encoding = (typeof ENCODINGS)[number];

/** The record as an item that a person can read in the console. */
export function toItem(record: IdempotencyRecord, names: AttributeNames, sortKey: Item): Item {
  return {
    [names.id]: record.id,
    ...sortKey,
    [names.status]: record.status,
    [names.owner]: record.owner,
    [names.attempt]: record.attempt,
    [names.expiration]: record.expiration,
    ...(record.fingerprint !== undefined && { [names.fingerprint]: record.fingerprint }),
    ...(record.status === 'IN_PROGRESS' && { [names.leaseUntil]: record.leaseUntil }),
    ...(record.status === 'COMPLETED' && outcomeAttributes(record.outcome, names)),
    ...(record.status !== 'COMPLETED' && checkpointsAttribute(record.checkpoints, names)),
  };
}

function outcomeAttributes(outcome: StoredOutcome, names: AttributeNames): Item {
  const attributes = (encoding: Encoding, text?: string) => ({
    [names.encoding]: encoding,
    ...(text !== undefined && { [names.outcome]: text }),
  });
  switch (outcome.type) {
    case 'RETURNED':
      return outcome.json === undefined ? attributes('undefined') : attributes('json', outcome.json);
    case 'THREW':
      return attributes('error+json', outcome.json);
    case 'NOT_REPLAYABLE':
      return attributes('not-replayable', outcome.reason);
  }
}

/**
 * The record that an item holds. An item that is not one (somebody else's, tampered with, of a later version) must not
 * lead to an execution.
 *
 * @throws IdempotencyError `RECORD_INVALID`
 */
export function fromItem(item: Item, names: AttributeNames): IdempotencyRecord {
  const text = (name: keyof AttributeNames) => expectType(item, names[name], 'string') as string;
  const number = (name: keyof AttributeNames) => expectType(item, names[name], 'number') as number;
  const base = {
    id: text('id'),
    owner: text('owner'),
    attempt: number('attempt'),
    expiration: number('expiration'),
    ...(item[names.fingerprint] !== undefined && { fingerprint: text('fingerprint') }),
  };
  const checkpoints = () => {
    const value = item[names.checkpoints];
    const found = checkpointsOf(value);
    if (found === 'invalid') throw invalid(names.checkpoints, value);
    return found === undefined ? undefined : { checkpoints: found };
  };
  const status = text('status');
  switch (status) {
    case 'IN_PROGRESS':
      return { ...base, status, leaseUntil: number('leaseUntil'), ...checkpoints() };
    case 'COMPLETED':
      return { ...base, status, outcome: outcomeOf(text('encoding'), () => text('outcome')) };
    case 'RELEASED':
      return { ...base, status, ...checkpoints() };
    default:
      throw invalid(names.status, status);
  }
}

function outcomeOf(encoding: string, text: () => string): StoredOutcome {
  switch (encoding as Encoding) {
    case 'json':
      return { type: 'RETURNED', json: text() };
    case 'undefined':
      return { type: 'RETURNED' };
    case 'error+json':
      return { type: 'THREW', json: text() };
    case 'not-replayable':
      return { type: 'NOT_REPLAYABLE', reason: text() };
    default:
      // Written by a later version: that the work is done is certain, only its response cannot be read here.
      return { type: 'NOT_REPLAYABLE', reason: `its encoding '${encoding}' is not known to this version` };
  }
}

function expectType(item: Item, name: string, type: 'string' | 'number'): unknown {
  const value = item[name];
  if (typeof value !== type || (type === 'number' && !Number.isFinite(value))) throw invalid(name, value);
  return value;
}

function invalid(name: string, value: unknown): IdempotencyError {
  return new IdempotencyError('RECORD_INVALID', 'The record of this request cannot be read. It is not executed.', {
    advice:
      `The item's attribute '${name}' is ${value === undefined ? 'missing' : `a ${typeof value}`} or not what this version writes. ` +
      'Does something else write to this table under the same key?',
  });
}

/**
 * The item that came with a failed condition: lib-dynamodb translates what a command answers, but not what its
 * exception carries. A record has only strings and numbers, and one map of strings.
 */
export function plainItem(
  marshalled: Readonly<
    Record<string, { S?: string | undefined; N?: string | undefined; M?: MarshalledMap | undefined }>
  >,
): Item {
  return Object.fromEntries(
    Object.entries(marshalled).map(([name, { S, N, M }]) => [
      name,
      M === undefined ? (N === undefined ? S : Number(N)) : plainMap(M),
    ]),
  );
}
