import type { IdempotencyRecord } from '../../src/core/record.ts';
import type { ConditionalResult, Expected, InsertResult } from '../../src/core/store.ts';
import type { Seen } from '../support/history.ts';

/** A table as DynamoDB is one: every verb is atomic, and what was written is never shared with the writer. */
export class Table {
  readonly #records = new Map<string, IdempotencyRecord>();

  get(id: string): IdempotencyRecord | undefined {
    return this.#records.get(id);
  }

  ids(): IterableIterator<string> {
    return this.#records.keys();
  }

  insert(record: IdempotencyRecord): { answer: InsertResult; wrote: boolean } {
    const existing = this.#records.get(record.id);
    if (existing !== undefined) return { answer: { won: false, existing }, wrote: false };
    this.#put(record);
    return { answer: { won: true }, wrote: true };
  }

  replace(record: IdempotencyRecord, expected: Expected): { answer: ConditionalResult; wrote: boolean } {
    return this.#conditionally(record.id, expected, () => this.#put(record));
  }

  remove(id: string, expected: Expected): { answer: ConditionalResult; wrote: boolean } {
    return this.#conditionally(id, expected, () => this.delete(id));
  }

  delete(id: string): void {
    this.#records.delete(id);
  }

  #conditionally(id: string, expected: Expected, write: () => void): { answer: ConditionalResult; wrote: boolean } {
    const existing = this.#records.get(id);
    if (existing === undefined || !isAsExpected(existing, expected)) {
      return { answer: { done: false, existing }, wrote: false };
    }
    write();
    return { answer: { done: true }, wrote: true };
  }

  #put(record: IdempotencyRecord): void {
    this.#records.set(record.id, Object.freeze({ ...record }));
  }
}

function isAsExpected(existing: IdempotencyRecord, { owner, status, leaseUntil }: Expected): boolean {
  if (existing.owner !== owner || existing.status !== status) return false;
  return leaseUntil === undefined || (existing.status === 'IN_PROGRESS' && existing.leaseUntil === leaseUntil);
}

/** A record as a witness writes it down. The owner's token begins with the name of the call. */
export function seen(record: IdempotencyRecord | undefined): Seen | undefined {
  if (record === undefined) return undefined;
  const { status, owner, attempt, expiration } = record;
  const text = record.status === 'COMPLETED' ? textOf(record.outcome) : undefined;
  return {
    status,
    by: owner.slice(0, owner.indexOf('#')),
    attempt,
    expiresAt: expiration * 1000,
    ...(record.status === 'IN_PROGRESS' && { leaseUntil: record.leaseUntil }),
    ...(text !== undefined && { text }),
  };
}

function textOf(outcome: Extract<IdempotencyRecord, { status: 'COMPLETED' }>['outcome']): string | undefined {
  switch (outcome.type) {
    case 'RETURNED':
      return outcome.json === undefined ? 'undefined' : String(JSON.parse(outcome.json));
    case 'THREW': {
      const stored: { error?: { message: string }; value?: unknown } = JSON.parse(outcome.json);
      return stored.error?.message ?? String(stored.value);
    }
    case 'NOT_REPLAYABLE':
      return undefined;
  }
}
