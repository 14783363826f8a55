import { LOST_RESULT, type Seen } from '../lib/history.ts';
import type { Item } from './conditions.ts';
import { unpad } from './padding.ts';
import { resultsOf, thrownText } from './table.ts';

/** A record as its item shows it, read here from the documented attributes and not by the code under test. */
export function seenItem(item: Item, part: PartOf): Seen {
  const id = String(item['id']?.S);
  const text = (name: string) => item[name]?.S as string | undefined;
  const number = (name: string) => Number(item[name]?.N);
  const owner = text('owner') ?? '';
  const status = text('status') as Seen['status'];
  const checkpoints = item['checkpoints']?.M;
  return {
    status,
    by: owner.slice(0, owner.indexOf('#')),
    attempt: number('attempt'),
    expiresAt: number('expiration') * 1000,
    ...(status === 'IN_PROGRESS' && { leaseUntil: number('leaseUntil') }),
    ...(status === 'COMPLETED' && outcomeOf(item, id, part)),
    ...(checkpoints !== undefined && { checkpoints: checkpointsOf(checkpoints, id, part) }),
  };
}

type PartOf = (id: string) => Item | undefined;

function checkpointsOf(stored: Item, id: string, part: PartOf): Record<string, string> {
  const lost = JSON.stringify({ result: LOST_RESULT });
  return resultsOf(
    Object.entries(stored).map(([name, { M = {} }]) => {
      const bytes = bytesIn(M, 'value', id, part);
      return [name, bytes === undefined ? lost : unpad(bytes).toString()] as const;
    }),
  );
}

/** What stands there, or in parts; `undefined` where one of them is gone. */
function bytesIn(item: Item, name: string, id: string, part: PartOf): Buffer | undefined {
  const count = Number(item['parts']?.N ?? 0);
  if (count === 0) return bytesOf(item[name]);
  const parts = Array.from({ length: count }, (_, index) => part(`${id}#${item['digest']?.S}#${index + 1}`));
  if (parts.some((found) => found === undefined)) return undefined;
  return Buffer.concat(parts.map((found) => bytesOf(found?.['outcome'])));
}

/** Like the outcome, and whether its parts are all there. */
function outcomeOf(item: Item, id: string, part: PartOf): Pick<Seen, 'text' | 'whole'> {
  const encoding = String(item['encoding']?.S);
  if (encoding === 'not-replayable') return {};
  const bytes = bytesIn(item, 'outcome', id, part);
  if (bytes === undefined) return { whole: false };
  const json = unpad(bytes).toString();
  const text = encoding.startsWith('error+json') ? thrownText(json) : String(JSON.parse(json));
  return { text, ...(item['parts'] !== undefined && { whole: true }) };
}

function bytesOf(value: Item[string] | undefined): Buffer {
  return Buffer.from(String(value?.B), 'base64');
}
