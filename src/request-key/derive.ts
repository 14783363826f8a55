import { canonicalJson, sha256 } from './canonical.ts';

/**
 * A UUID made from the record id and a name: the same on every attempt, another for another request or name.
 * Version 8 (RFC 9562, section 5.8): the first 122 free bits are those of the SHA-256.
 */
export function deriveUuid(recordId: string, name: string): string {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError('deriveKey(name): name must be a non-empty string, such as the name of the downstream call');
  }
  const bytes = Buffer.from(sha256(canonicalJson('name', [recordId, name])), 'base64url').subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
