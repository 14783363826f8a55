import { promisify } from 'node:util';
import { gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib';
import { utf8 } from '../../json.ts';
import { type CodecContext, decoded, encoded, type OutcomeCodec, unknownEncoding } from './codec.ts';

/** Text as an attribute holds it. */
export interface PackedText {
  /**
   * What was done to the text, each step behind a '+', undone from the end; `''` for plain text.
   */
  readonly encoding: string;
  readonly value: string | Uint8Array;
}

/** How text becomes an attribute's value, and the value text again. Both are bound to the record and a label. */
export interface TextCodec {
  /** Whether the packed text is confidential: no part of it may then be written in the clear. */
  readonly hidesText: boolean;
  /** @throws IdempotencyError `STORE_UNAVAILABLE` with `recordRefused` when the user's codec fails */
  pack(text: string, context: CodecContext): Promise<PackedText>;
  /**
   * @throws IdempotencyError `STORE_UNAVAILABLE` when the text cannot be read now
   * @throws Error that says why it cannot be read at all
   */
  unpack(packed: PackedText, context: CodecContext): Promise<string>;
}

const GZIP = 'gzip';

export function createTextCodec(codec: OutcomeCodec | undefined): TextCodec {
  return {
    hidesText: codec !== undefined,

    async pack(text, context) {
      const length = Buffer.byteLength(text);
      const smaller = length < MIN_BYTES ? undefined : await compressed(text, length);
      const compression = smaller === undefined ? '' : `+${GZIP}`;
      if (codec === undefined) return { encoding: compression, value: smaller ?? text };
      const value = await encoded(codec, smaller ?? Buffer.from(text), context);
      return { encoding: `${compression}+${codec.name}`, value };
    },

    async unpack({ encoding, value }, context) {
      const steps = encoding.split('+').slice(1);
      if (typeof value === 'string') {
        if (steps.length > 0) throw new Error('it is text where bytes should be');
        return value;
      }
      let bytes = value;
      for (const step of steps.toReversed()) {
        if (step === GZIP) bytes = await decompressed(bytes);
        else if (step === codec?.name) bytes = await decoded(codec, bytes, context);
        else throw unknownEncoding(step);
      }
      return utf8(bytes);
    },
  };
}

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
 * The text as gzip. JSON always gets smaller: its bytes use less than seven of their
 * eight bits.
 *
 * gzip at its default level, by measurement (`bench/codec.ts`, table in `docs/cost-and-speed.md`).
 * brotli at the same cost is 2 to 5 % smaller, but has no checksum: altered bytes could be read as
 * another response.
 */
async function compressed(text: string, length: number): Promise<Uint8Array> {
  return length <= MAX_BLOCKING_BYTES ? gzipSync(text) : compress(text, pieceOf(length / 2));
}

/** @throws Error when the bytes are damaged, or unpack to more than an outcome may have */
async function decompressed(bytes: Uint8Array): Promise<Uint8Array> {
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
