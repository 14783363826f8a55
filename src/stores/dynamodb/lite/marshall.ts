import { isObject } from '../../../json.ts';

/** A value as DynamoDB's JSON has it, bytes in base64: `{ S: 'text' }`, `{ N: '1' }`, `{ B: 'AQ==' }`. */
export type WireValue = Readonly<Record<string, unknown>>;

/**
 * The attributes of an item, as `@aws-sdk/lib-dynamodb` translates them with its default settings. An attribute that is
 * `undefined` is left out.
 *
 * @throws Error for what no attribute can hold, such as `undefined` in a list, `NaN`, an empty set, a class instance
 */
export function toWire(item: object): Record<string, WireValue> {
  return wireMap(Object.entries(item).filter(([, value]) => value !== undefined));
}

function wireMap(entries: Iterable<readonly [string, unknown]>): Record<string, WireValue> {
  const kept: [string, WireValue][] = [];
  for (const [name, value] of entries) if (typeof value !== 'function') kept.push([name, wireValue(value)]);
  return Object.fromEntries(kept);
}

function wireValue(value: unknown): WireValue {
  if (value === undefined) throw new Error('undefined in a map, a list or a set cannot be stored: leave it out');
  if (value === null) return { NULL: true };
  if (Array.isArray(value)) return { L: value.filter((member) => typeof member !== 'function').map(wireValue) };
  switch (typeName(value)) {
    case 'String':
      return { S: String(value) };
    case 'Number':
      return { N: numberText(value) };
    case 'BigInt':
      return { N: String(value) };
    case 'Boolean':
      return { BOOL: (value as boolean).valueOf() };
    case 'Object':
      return { M: wireMap(membersOf(value)) };
    case 'Map':
      return { M: wireMap(value as Map<string, unknown>) };
    case 'Set':
      return wireSet([...(value as Set<unknown>)]);
  }
  if (isBinary(value)) return { B: base64(value) };
  if (isNumberValue(value)) return { N: String(value) };
  throw new Error(`a value of the type ${typeName(value) || typeof value} cannot be stored: make it a plain object`);
}

/** The first member decides what kind of set it is. */
function wireSet(members: readonly unknown[]): WireValue {
  const [first] = members;
  if (members.length === 0) throw new Error('an empty set cannot be stored: leave it out');
  if (members.includes(undefined)) return wireValue(undefined);
  if (isNumberValue(first) || typeof first === 'bigint') return { NS: members.map(String) };
  if (typeof first === 'number') return { NS: members.map(numberText) };
  if (typeof first === 'string') return { SS: members.map(String) };
  if (isBinary(first)) return { BS: members.map(base64) };
  throw new Error('a set can hold numbers, texts or bytes');
}

/** Inherited members count, as for the SDK. */
function* membersOf(value: unknown): Iterable<[string, unknown]> {
  for (const name in value as object) yield [name, (value as Record<string, unknown>)[name]];
}

/** By name: a value may come from another realm. An object without a prototype is a plain one. */
function typeName(value: unknown): string {
  const type = (value as { constructor?: { name?: unknown } }).constructor;
  return type === undefined ? 'Object' : String(type?.name ?? '');
}

function numberText(value: unknown): string {
  const number = Number(value);
  if (!Number.isFinite(number)) throw new Error(`${number} cannot be stored`);
  if (Math.abs(number) > Number.MAX_SAFE_INTEGER) {
    throw new Error(`the number ${number} is not exact: use a bigint, or NumberValue of @aws-sdk/lib-dynamodb`);
  }
  return String(value);
}

/** `NumberValue` of `@aws-sdk/lib-dynamodb`. */
function isNumberValue(value: unknown): boolean {
  return isObject(value) && typeof value['toAttributeValue'] === 'function';
}

function isBinary(value: unknown): boolean {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

function base64(bytes: unknown): string {
  if (bytes instanceof ArrayBuffer) return Buffer.from(bytes).toString('base64');
  const { buffer, byteOffset, byteLength } = bytes as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

/** The same item with bytes instead of base64, which is what the SDK gives. */
export function fromWire(item: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(item).map(([name, value]) => [name, withBytes(value)]));
}

function withBytes(value: unknown): unknown {
  if (!isObject(value)) return value;
  const { B, BS, L, M } = value;
  if (typeof B === 'string') return { ...value, B: bytesOf(B) };
  if (Array.isArray(BS)) return { ...value, BS: BS.map(bytesOf) };
  if (Array.isArray(L)) return { ...value, L: L.map(withBytes) };
  return isObject(M) ? { ...value, M: fromWire(M) } : value;
}

const bytesOf = (text: unknown) => new Uint8Array(Buffer.from(String(text), 'base64'));
