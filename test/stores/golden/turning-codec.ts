import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { OutcomeCodec } from 'middy-idempotency/dynamodb';

const COMPRESSIONS = [
  { magic: [0x1f, 0x8b], pack: gzipSync, unpack: gunzipSync },
  { magic: [0x28, 0xb5], pack: zstdCompressSync, unpack: zstdDecompressSync },
] as const;

/** Every byte is turned over. The bytes of zlib differ between its versions: what this makes of them does not. */
export function turning(name: string, paddingBytes = 0): OutcomeCodec {
  const turned = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
  return {
    name,
    encode(bytes) {
      const compression = 1 + COMPRESSIONS.findIndex(({ magic }) => bytes[0] === magic[0] && bytes[1] === magic[1]);
      const plain = COMPRESSIONS[compression - 1]?.unpack(bytes) ?? bytes;
      return Buffer.concat([Buffer.from([compression]), turned(plain), Buffer.alloc(paddingBytes)]);
    },
    decode(bytes) {
      const plain = turned(bytes.subarray(1, bytes.length - paddingBytes));
      return COMPRESSIONS[(bytes[0] ?? 0) - 1]?.pack(plain) ?? plain;
    },
  };
}
