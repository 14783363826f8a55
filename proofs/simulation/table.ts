import type { CompletedRecord, IdempotencyRecord } from '../../src/core/record/record.ts';
import type { Expected, TransactionResult, WriteResult } from '../../src/core/record/store.ts';
import { NOT_KEPT, type Seen } from '../lib/history.ts';
import { Effects } from './effects.ts';
import { bytesOf } from './padding.ts';
import { Tokens } from './tokens.ts';

/**
 * What a request did to a table. `effects`: how many of the caller's own writes took effect. `refused`: the record is larger
 * than a record may be. `waits`: it has begun, and another transaction is in its way.
 */
export type Applied<T> = Answered<T> | { readonly refused: true } | { readonly waits: object };

export interface Answered<T> {
  readonly answer: T;
  readonly wrote: boolean;
  readonly effects?: number;
  /** Whether it was the caller's own items that were refused. */
  readonly itemsRefused?: boolean;
  /** Whether it is a part of a transaction, and says nothing of the record. */
  readonly pending?: boolean;
  /** Whether it is the end of a transaction that has had the record for itself. */
  readonly hasLooked?: boolean;
}

/** What the schedule sees of a table, whatever that holds. */
export interface Rows {
  ids(): Iterable<string>;
  /** `undefined` also where it is a part of an outcome. */
  seen(id: string): Seen | undefined;
  /** Epoch seconds. */
  expiration(id: string): number;
  delete(id: string): void;
}

/** A table as DynamoDB is one: every verb is atomic, and what was written is never shared with the writer. */
export class Table {
  readonly #records = new Map<string, IdempotencyRecord>();
  readonly #effects = new Effects();
  readonly #tokens: Tokens;
  readonly #roomBytes: number | undefined;

  /** `roomBytes`: how large the checkpoints of a record may become. */
  constructor(tokens = new Tokens(), roomBytes?: number) {
    this.#tokens = tokens;
    this.#roomBytes = roomBytes;
  }

  get(id: string): IdempotencyRecord | undefined {
    return this.#records.get(id);
  }

  ids(): IterableIterator<string> {
    return this.#records.keys();
  }

  insert(record: IdempotencyRecord): Applied<WriteResult> {
    const existing = this.#records.get(record.id);
    if (existing !== undefined) return { answer: { done: false, existing }, wrote: false };
    this.#put(record);
    return { answer: { done: true }, wrote: true };
  }

  replace(record: IdempotencyRecord, expected: Expected): Applied<WriteResult> {
    const room = this.#roomAfter(record);
    if (room !== undefined && room < 0) return { refused: true };
    return this.#conditionally(record.id, expected, () => this.#put(record), room);
  }

  remove(id: string, expected: Expected): Applied<WriteResult> {
    return this.#conditionally(id, expected, () => this.delete(id));
  }

  /** All of it, or nothing. */
  transact(
    record: CompletedRecord,
    expected: Expected | undefined,
    items: readonly object[],
    token: string,
  ): Applied<TransactionResult> {
    if (this.#tokens.knows(token)) return { answer: { done: true }, wrote: false };
    const existing = this.#records.get(record.id);
    const isFree = expected === undefined ? existing === undefined : existing && isAsExpected(existing, expected);
    if (isFree !== true) return { answer: { done: false, existing }, wrote: false };
    if (items.some((item) => this.#effects.refuses(item))) {
      const itemsError = Object.assign(new Error('a condition of an item failed'), {
        name: 'TransactionCanceledException',
      });
      return { answer: { done: false, itemsError }, wrote: false, itemsRefused: true };
    }
    this.#put(record);
    this.#tokens.keep(token);
    for (const item of items) this.#effects.apply(item);
    return { answer: { done: true }, wrote: true, effects: items.length };
  }

  delete(id: string): void {
    this.#records.delete(id);
  }

  #roomAfter(record: IdempotencyRecord): number | undefined {
    if (this.#roomBytes === undefined || record.status === 'COMPLETED') return undefined;
    const texts = Object.entries(record.checkpoints ?? {}).map(([name, text]) => name.length + bytesOf(String(text)));
    return texts.reduce((room, bytes) => room - bytes, this.#roomBytes);
  }

  #conditionally(id: string, expected: Expected, write: () => void, room?: number): Applied<WriteResult> {
    const existing = this.#records.get(id);
    if (existing === undefined || !isAsExpected(existing, expected)) {
      return { answer: { done: false, existing }, wrote: false };
    }
    write();
    return { answer: { done: true, room }, wrote: true };
  }

  #put(record: IdempotencyRecord): void {
    this.#records.set(record.id, Object.freeze({ ...record }));
  }
}

function isAsExpected(existing: IdempotencyRecord, expected: Expected): boolean {
  const { owner, status, leaseUntil, revision } = expected;
  if (existing.owner !== owner || existing.status !== status) return false;
  if (existing.status === 'COMPLETED') return revision === undefined || existing.revision === revision;
  return leaseUntil === undefined || (existing.status === 'IN_PROGRESS' && existing.leaseUntil === leaseUntil);
}

/** A record as a witness writes it down. The owner's token begins with the name of the call. */
export function seen(record: IdempotencyRecord | undefined): Seen | undefined {
  if (record === undefined) return undefined;
  const { status, owner, attempt, expiration } = record;
  const text = record.status === 'COMPLETED' ? textOf(record.outcome) : undefined;
  const checkpoints = record.status === 'COMPLETED' ? undefined : record.checkpoints;
  return {
    status,
    by: owner.slice(0, owner.indexOf('#')),
    attempt,
    expiresAt: expiration * 1000,
    ...(record.status === 'IN_PROGRESS' && { leaseUntil: record.leaseUntil }),
    ...(text !== undefined && { text }),
    ...(checkpoints !== undefined && { checkpoints: resultsOf(Object.entries(checkpoints)) }),
  };
}

/** The results that checkpoints hold, by the names of the steps. */
export function resultsOf(checkpoints: readonly (readonly [name: string, text: unknown])[]): Record<string, string> {
  return Object.fromEntries(checkpoints.map(([name, text]) => [name, resultOf(String(text))]));
}

function resultOf(text: string): string {
  try {
    const { result, notReplayable } = JSON.parse(text);
    return notReplayable === undefined ? String(result) : NOT_KEPT;
  } catch {
    // Broken code writes what is no JSON.
    return text;
  }
}

function textOf(outcome: Extract<IdempotencyRecord, { status: 'COMPLETED' }>['outcome']): string | undefined {
  switch (outcome.type) {
    case 'RETURNED':
      return outcome.json === undefined ? 'undefined' : String(JSON.parse(outcome.json));
    case 'THREW':
      return thrownText(outcome.json);
    case 'NOT_REPLAYABLE':
      return undefined;
  }
}

/** The message of a stored error, or what was thrown instead of one. */
export function thrownText(json: string): string {
  const stored: { error?: { message: string }; value?: unknown } = JSON.parse(json);
  return stored.error?.message ?? String(stored.value);
}
