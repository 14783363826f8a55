import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';

/**
 * Smaller text is not worth it: DynamoDB counts write units by the KB (AWS: "DynamoDB read and write operations"), and
 * text can be read in the console.
 */
const MIN_BYTES = 1024;

/** What unpacks to more is no outcome of ours: bytes for UTF-8, as for `maxOutcomeBytes`. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

// In the thread pool: it adds some 0.1 ms, and blocks nobody when an outcome is large.
const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * The text as gzip; `undefined` where it is too short. JSON always gets smaller: its bytes use less than seven of their
 * eight bits.
 *
 * gzip at its default level, by measurement (`test/bench/codec.ts`, table in the README): brotli at the same cost is 2 to 5 %
 * smaller, but has no checksum, so that altered bytes could be read as another response.
 */
export async function compressed(text: string): Promise<Uint8Array | undefined> {
  if (Buffer.byteLength(text) < MIN_BYTES) return undefined;
  return compress(text);
}

/** @throws Error when the bytes are damaged, or unpack to more than an outcome may have */
export function decompressed(bytes: Uint8Array): Promise<Uint8Array> {
  return decompress(bytes, { maxOutputLength: MAX_TEXT_BYTES });
}
