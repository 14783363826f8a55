import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib';

/**
 * Smaller text is not worth it: DynamoDB counts write units by the KB (AWS: "DynamoDB read and
 * write operations"). Text can be read in the console, too.
 */
const MIN_BYTES = 1024;

/** What unpacks to more is no outcome of ours. Bytes of UTF-8, as for `maxOutcomeBytes`. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/**
 * Up to here it takes less time than the way through the thread pool. A larger text would block the
 * process.
 */
const MAX_BLOCKING_BYTES = 32 * 1024;

/** Node hands over to the thread pool once for each piece of this size, 16 KB by default. */
const pieceOf = (bytes: number) => ({ chunkSize: Math.ceil(Math.min(bytes, MAX_TEXT_BYTES)) + 1024 });

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * The text as gzip; `undefined` where it is too short. JSON always gets smaller: its bytes use less than seven of their
 * eight bits.
 *
 * gzip at its default level, by measurement (`bench/codec.ts`, table in `docs/cost-and-speed.md`).
 * brotli at the same cost is 2 to 5 % smaller, but has no checksum: altered bytes could be read as
 * another response.
 */
export async function compressed(text: string): Promise<Uint8Array | undefined> {
  const length = Buffer.byteLength(text);
  if (length < MIN_BYTES) return undefined;
  return length <= MAX_BLOCKING_BYTES ? gzipSync(text) : compress(text, pieceOf(length / 2));
}

/** @throws Error when the bytes are damaged, or unpack to more than an outcome may have */
export async function decompressed(bytes: Uint8Array): Promise<Uint8Array> {
  const length = claimedLength(bytes);
  const options = { ...pieceOf(length), maxOutputLength: Math.max(1, Math.min(length, MAX_TEXT_BYTES)) };
  return length <= MAX_BLOCKING_BYTES ? gunzipSync(bytes, options) : decompress(bytes, options);
}

/**
 * The length of the text, which gzip writes at its end (RFC 1952, section 2.3.1). Damaged bytes may
 * say anything.
 */
function claimedLength(bytes: Uint8Array): number {
  if (bytes.length < 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(bytes.length - 4, true);
}
