import { zstdDecompressSync } from 'node:zlib';
import type { Seen } from '../lib/history.ts';
import { brief } from './brief.ts';

/** An attribute as DynamoDB sends it. */
interface Attribute {
  readonly S?: string;
  readonly N?: string;
  /** base64 */
  readonly B?: string | Uint8Array;
  readonly M?: Attributes;
}

/** An item as DynamoDB sends it. */
export type Attributes = Readonly<Record<string, Attribute>>;

/** The parts of outcomes, by their ids, as they were written. */
export type PartsSeen = ReadonlyMap<string, Uint8Array>;

/** A record, read here from its documented attributes and not by the code under test. */
export function seenIn(item: Attributes | undefined, parts: PartsSeen = new Map()): Seen | undefined {
  if (item === undefined) return undefined;
  const leaseUntil = item['leaseUntil']?.N;
  const checkpoints = item['checkpoints']?.M;
  return {
    status: item['status']?.S as Seen['status'],
    by: item['owner']?.S ?? '',
    attempt: Number(item['attempt']?.N),
    expiresAt: Number(item['expiration']?.N) * 1000,
    ...(leaseUntil !== undefined && { leaseUntil: Number(leaseUntil) }),
    ...outcomeOf(item, parts),
    ...(checkpoints !== undefined && { checkpoints: resultsOf(checkpoints) }),
  };
}

function resultsOf(checkpoints: Attributes): Record<string, string> {
  return Object.fromEntries(Object.entries(checkpoints).map(([name, { S = '' }]) => [name, JSON.parse(S).result]));
}

function outcomeOf(item: Attributes, parts: PartsSeen): Pick<Seen, 'text' | 'whole'> {
  const [kind = '', packing] = (item['encoding']?.S ?? '').split(/\+(?=zstd$)/);
  const count = Number(item['parts']?.N ?? 0);
  const found = Array.from({ length: count }, (_, index) => parts.get(partId(item, index)));
  if (found.includes(undefined)) return { whole: false };
  const { S, B } = item['outcome'] ?? {};
  const bytes = count > 0 ? Buffer.concat(found as Uint8Array[]) : B === undefined ? undefined : bytesOf(B);
  const json = packing === undefined || bytes === undefined ? S : zstdDecompressSync(bytes).toString();
  const text = json === undefined ? undefined : outcomeText(kind, json);
  return { ...(text !== undefined && { text }), ...(count > 0 && { whole: true }) };
}

function partId(item: Attributes, index: number): string {
  return `${item['id']?.S}#${item['digest']?.S}#${index + 1}`;
}

export function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value, 'base64') : value;
}

function outcomeText(kind: string, json: string): string | undefined {
  if (kind === 'json') return brief(json);
  return kind === 'error+json' ? JSON.parse(json).error.message : undefined;
}

export function isSameSeen(a: Seen | undefined, b: Seen | undefined): boolean {
  const key = (seen: Seen | undefined) =>
    seen &&
    [
      ...[seen.status, seen.by, seen.attempt, seen.leaseUntil, seen.expiresAt, seen.text],
      ...Object.entries(seen.checkpoints ?? {})
        .flat()
        .sort(),
    ].join(' ');
  return key(a) === key(b);
}
