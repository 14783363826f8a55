import { gunzipSync, gzipSync } from 'node:zlib';
import type { OutcomeCodec } from 'middy-idempotency/dynamodb';

/** Every byte is turned over. The bytes of zlib differ between its versions: what this makes of them does not. */
export function turning(name: string, paddingBytes = 0): OutcomeCodec {
  const turned = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
  const isGzip = (bytes: Uint8Array) => bytes[0] === 0x1f && bytes[1] === 0x8b;
  return {
    name,
    encode(bytes) {
      const plain = isGzip(bytes) ? gunzipSync(bytes) : bytes;
      return Buffer.concat([Buffer.from([isGzip(bytes) ? 1 : 0]), turned(plain), Buffer.alloc(paddingBytes)]);
    },
    decode(bytes) {
      const plain = turned(bytes.subarray(1, bytes.length - paddingBytes));
      return bytes[0] === 1 ? gzipSync(plain) : plain;
    },
  };
}
