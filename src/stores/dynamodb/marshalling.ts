import type { AttributeValue } from '@aws-sdk/client-dynamodb';

/**
 * Items of records, in the types that a record has: texts, numbers, bytes and maps of them. They go without lib-dynamodb,
 * whose document client takes a tenth of a request's CPU again (README, "Cost and speed"), and does not translate what
 * comes with a failed condition. What the user writes (`transact`) goes with it.
 */
export type Item = Record<string, unknown>;
export type MarshalledItem = Record<string, AttributeValue>;

/** @throws TypeError for a value of another type: a record has none, so that nothing of it would be lost unseen */
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

/** Of the types that a record has. Everything else is null, no attribute of a record, and refused as such. */
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

/** `Number` takes nothing, and an empty list, for zero: an `expiration` of zero would be a record that is over. */
function numberOf(text: unknown): number {
  return typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
}
