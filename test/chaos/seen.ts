import type { Seen } from '../support/history.ts';
import type { DynamoDBRequest } from '../support/proxy.ts';

/** An item as DynamoDB sends it. */
export type Attributes = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

/** A record, read here from its documented attributes and not by the code under test. */
export function seenIn(item: Attributes | undefined): Seen | undefined {
  if (item === undefined) return undefined;
  const text = outcomeText(item['encoding']?.S, item['outcome']?.S);
  const leaseUntil = item['leaseUntil']?.N;
  return {
    status: item['status']?.S as Seen['status'],
    by: item['owner']?.S ?? '',
    attempt: Number(item['attempt']?.N),
    expiresAt: Number(item['expiration']?.N) * 1000,
    ...(leaseUntil !== undefined && { leaseUntil: Number(leaseUntil) }),
    ...(text !== undefined && { text }),
  };
}

function outcomeText(encoding: string | undefined, outcome: string | undefined): string | undefined {
  if (outcome === undefined || encoding === 'json') return outcome;
  return encoding === 'error+json' ? JSON.parse(outcome).error.message : undefined;
}

export function isSameSeen(a: Seen | undefined, b: Seen | undefined): boolean {
  const key = (seen: Seen | undefined) =>
    seen && [seen.status, seen.by, seen.attempt, seen.leaseUntil, seen.expiresAt, seen.text].join(' ');
  return key(a) === key(b);
}

/** What a request asks of DynamoDB. */
export interface Write {
  /** The record id. */
  readonly id: string;
  /** The call that asks for it. */
  readonly call: string;
  /** What the record will be, `undefined` where it is to be deleted. */
  readonly after: Seen | undefined;
  /** Whether it takes effect only where there is no record. */
  readonly isInsert: boolean;
}

/** The header in which a client says for which call it sends a request. */
export const CALL_HEADER = 'x-chaos-call';

/** A put or a delete; nothing else is ever sent by a guard. */
export function writeOf({ headers, body }: Pick<DynamoDBRequest, 'headers' | 'body'>): Write {
  const { Item, Key, ConditionExpression: condition } = JSON.parse(body);
  const id = (Item ?? Key).id.S as string;
  return {
    id,
    call: String(headers[CALL_HEADER]),
    after: seenIn(Item),
    isInsert: condition === 'attribute_not_exists(#id)',
  };
}
