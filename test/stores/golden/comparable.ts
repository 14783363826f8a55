import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib';

/** From here on bytes are compressed in a file. */
const LARGE = 4000;

/** Bytes as base64, as DynamoDB sends them; many of them as `{ gzip }`, so that a file can hold them. */
export function compact(value: unknown): unknown {
  return mapBytes(value, (bytes) =>
    bytes.length > LARGE ? { gzip: gzipSync(bytes).toString('base64') } : { B: bytes.toString('base64') },
  );
}

/** As the client of DynamoDB takes it. */
export function expanded(value: unknown): unknown {
  return mapBytes(value, (bytes) => ({ B: new Uint8Array(bytes) }));
}

/** Attributes that a later version has added: an earlier one does not look at them. */
const ADDED = ['transaction'];

/**
 * For a comparison: of compressed bytes what is in them, for the compression and its versions may change; of conditions what
 * they say, and not how they name it.
 */
export function comparable(value: unknown): unknown {
  const plain = mapBytes(value, (bytes) => {
    const magic = bytes.readUInt16BE(0);
    if (magic === 0x1f8b) return { unpacked: gunzipSync(bytes).toString() };
    if (magic === 0x28b5) return { unpacked: zstdDecompressSync(bytes).toString() };
    return { bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
  });
  // JSON has no member that is undefined.
  return JSON.parse(JSON.stringify(plain).replaceAll(/\+(gzip|zstd)\b/g, '+compressed'), (_, one) => spelledOut(one));
}

function spelledOut(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const { ConditionExpression, ExpressionAttributeNames, ExpressionAttributeValues, ...others } = value as Conditional;
  const isItem = 'status' in others && 'owner' in others;
  if (ConditionExpression === undefined) return isItem ? withoutAdded(others) : value;
  const condition = ConditionExpression.replaceAll(
    /#\w+/g,
    (name) => ExpressionAttributeNames?.[name] ?? name,
  ).replaceAll(/:\w+/g, (name) => JSON.stringify(ExpressionAttributeValues?.[name]));
  return { ...others, condition };
}

interface Conditional {
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>>;
  readonly ExpressionAttributeValues?: Readonly<Record<string, unknown>>;
}

function withoutAdded(item: object): object {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !ADDED.includes(name)));
}

function mapBytes(value: unknown, map: (bytes: Buffer) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => mapBytes(one, map));
  const { B, gzip, ...others } = value as { B?: string | Uint8Array; gzip?: string };
  if (Object.keys(others).length === 0 && B !== undefined) return map(Buffer.from(B as string, 'base64'));
  if (Object.keys(others).length === 0 && gzip !== undefined) return map(gunzipSync(Buffer.from(gzip, 'base64')));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, mapBytes(one, map)]));
}
