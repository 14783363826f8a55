import type { Seen } from '../lib/history.ts';
import type { Item } from './conditions.ts';
import { unpad } from './padding.ts';
import { resultsOf, thrownText } from './table.ts';

/** A record as its item shows it, read here from the documented attributes and not by the code under test. */
export function seenItem(item: Item, part: (id: string) => Item | undefined): Seen {
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
    ...(status === 'COMPLETED' && outcomeOf(item, part)),
    ...(checkpoints !== undefined && { checkpoints: checkpointsOf(checkpoints) }),
  };
}

function checkpointsOf(stored: Item): Record<string, string> {
  return resultsOf(
    Object.entries(stored).map(([name, { M }]) => [name, unpad(bytesOf(M?.['value'])).toString()] as const),
  );
}

/** Like the outcome, and whether its parts are all there. */
function outcomeOf(item: Item, part: (id: string) => Item | undefined): Pick<Seen, 'text' | 'whole'> {
  const encoding = String(item['encoding']?.S);
  if (encoding === 'not-replayable') return {};
  const count = Number(item['parts']?.N ?? 0);
  const parts = Array.from({ length: count }, (_, index) => part(`${item['id']?.S}#${item['digest']?.S}#${index + 1}`));
  if (parts.some((found) => found === undefined)) return { whole: false };
  const bytes =
    count === 0 ? bytesOf(item['outcome']) : Buffer.concat(parts.map((found) => bytesOf(found?.['outcome'])));
  const json = unpad(bytes).toString();
  const text = encoding.startsWith('error+json') ? thrownText(json) : String(JSON.parse(json));
  return { text, ...(count > 0 && { whole: true }) };
}

function bytesOf(value: Item[string] | undefined): Buffer {
  return Buffer.from(String(value?.B), 'base64');
}
