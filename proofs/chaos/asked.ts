import type { DynamoDBRequest } from '../../test/support/proxy.ts';
import type { Seen } from '../lib/history.ts';
import { type Attributes, bytesOf, type PartsSeen, seenIn } from './seen.ts';

/** What a request asks of DynamoDB. */
export type Asked =
  | ({ readonly type: 'write' } & Write)
  | { readonly type: 'look'; readonly id: string; readonly call: string }
  | { readonly type: 'part'; readonly id: string; readonly bytes: Uint8Array | undefined };

export interface Write {
  /** The record id. */
  readonly id: string;
  /** The call that asks for it. */
  readonly call: string;
  /** What the record will be, `undefined` where it is to be deleted. */
  readonly after: Seen | undefined;
  /** Whether it takes effect only where there is no record. */
  readonly isInsert: boolean;
  /** How many writes of the handler go with it, and the token of the transaction that they are. */
  readonly effects: number;
  readonly token?: string;
}

/** The header in which a client says for which call it sends a request. */
export const CALL_HEADER = 'x-chaos-call';

/** As docs/reference/record.md has it: `<record id>#<digest>#<number>`. */
const PART_ID = /#.*#\d+$/;

interface Body {
  readonly Item?: Attributes;
  readonly Key?: Attributes;
  readonly ConditionExpression?: string;
  readonly TransactItems?: readonly { readonly Put?: Body; readonly Update?: Body }[];
  readonly ClientRequestToken?: string;
}

/** A guard puts, gets and deletes records, puts and gets parts, and writes a record together with what a handler writes. */
export function askedBy({ headers, body, operation }: DynamoDBRequest, parts: PartsSeen): Asked {
  const call = String(headers[CALL_HEADER]);
  const asked = JSON.parse(body) as Body;
  const { TransactItems: items = [], ClientRequestToken: token } = asked;
  const { Item, Key, ConditionExpression: condition } = items.at(-1)?.Put ?? asked;
  const id = (Item ?? Key)?.['id']?.S ?? '';
  if (PART_ID.test(id)) {
    const bytes = Item?.['outcome']?.B;
    return { type: 'part', id, bytes: bytes === undefined ? undefined : bytesOf(bytes) };
  }
  if (operation === 'GetItem') return { type: 'look', id, call };
  return {
    type: 'write',
    id,
    call,
    after: seenIn(Item, parts),
    isInsert: condition === 'attribute_not_exists(#id)',
    effects: items.filter(({ Update }) => Update !== undefined).length,
    ...(token !== undefined && items.length > 0 && { token }),
  };
}
