import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * Items of records, in the types that a record has: texts, numbers, bytes and maps of them. They go
 * without lib-dynamodb, whose document client takes another tenth of a request's CPU
 * (`docs/cost-and-speed.md`). It does not translate the item of a failed condition either. What the
 * user writes (`transact`) goes with it.
 */
export type Item = Record<string, unknown>;
export type MarshalledItem = Record<string, AttributeValue>;

/**
 * @throws TypeError for a value of another type: a record has none, and nothing may get lost
 * silently
 */
export function marshalled(item: Readonly<Item>): MarshalledItem {
  return marshalledEntries(Object.entries(item));
}

function marshalledEntries(entries: readonly (readonly [string, unknown])[]): MarshalledItem {
  return Object.fromEntries(entries.map(([name, value]) => [name, attributeOf(value, name)]));
}

function attributeOf(value: unknown, name: string): AttributeValue {
  if (typeof value === 'string') return { S: value };
  if (typeof value === 'number') return { N: String(value) };
  if (value instanceof Uint8Array) return { B: value };
  if (value instanceof Map) return { M: marshalledEntries([...value]) };
  if (typeof value === 'object' && value !== null) return { M: marshalled(value as Item) };
  throw new TypeError(`attribute '${name}' cannot be a ${typeof value}`);
}

export function unmarshalled(item: Readonly<MarshalledItem>): Item {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, plain(value)]));
}

/**
 * A value of the types that a record has. Everything else becomes null, which is no attribute of a
 * record and is refused.
 */
function plain(value: AttributeValue): unknown {
  const members = Object.entries(value ?? {});
  const [type, content] = members[0] ?? [];
  if (members.length !== 1) return null;
  if (type === 'S' && typeof content === 'string') return content;
  if (type === 'N') return numberOf(content);
  if (type === 'B' && content instanceof Uint8Array) return content;
  if (type === 'M' && typeof content === 'object' && content !== null) return unmarshalled(content);
  return null;
}

/**
 * `Number` reads nothing, or an empty list, as zero: with an `expiration` of zero the record would
 * count as expired.
 */
function numberOf(text: unknown): number {
  return typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
}
