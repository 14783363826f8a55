import { getBuiltinModule } from '../../builtins.ts';
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

const ZSTD = 'zstd';
/** As earlier versions wrote it. */
const GZIP = 'gzip';

export function createTextCodec(codec: OutcomeCodec | undefined): TextCodec {
  return {
    hidesText: codec !== undefined,

    async pack(text, context) {
      const length = Buffer.byteLength(text);
      const smaller = length < MIN_BYTES ? undefined : await compressed(text, length);
      const compression = smaller === undefined ? '' : `+${ZSTD}`;
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
        if (step === ZSTD || step === GZIP) bytes = await decompressed(step, bytes);
        else if (step === codec?.name) bytes = await decoded(codec, bytes, context);
        else throw unknownEncoding(step);
      }
      return utf8(bytes);
    },
  };
}

/**
 * A record with a smaller text has one KB, which is one write unit (AWS: "DynamoDB read and write operations"): compressing
 * it saves nothing. A larger text is always worth it: a unit costs as much as 75 ms of CPU time at 512 MB.
 */
const MIN_BYTES = 768;

/** What unpacks to more is no outcome of ours. Bytes of UTF-8, as for `maxOutcomeBytes`. */
export const MAX_TEXT_BYTES = 16 * 1024 * 1024;

/** Up to here it takes less than a millisecond. A larger text would block the process: the thread pool does it. */
const MAX_BLOCKING_BYTES = 256 * 1024;

/**
 * zstd at its fastest level, by measurement (`bench/codec.ts`, table in `docs/cost-and-speed.md`): a quarter of gzip's CPU time
 * at the same size. With its checksum: altered bytes must not be read as another response.
 */
async function compressed(text: string, length: number): Promise<Uint8Array> {
  const { constants, zstdCompress, zstdCompressSync } = getBuiltinModule('node:zlib');
  const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag } = constants;
  const options = {
    ...pieceOf(length / 2),
    params: { [ZSTD_c_compressionLevel]: 1, [ZSTD_c_checksumFlag]: 1 },
  };
  if (length <= MAX_BLOCKING_BYTES) return zstdCompressSync(text, options);
  return pooled((done) => zstdCompress(text, options, done));
}

/** @throws Error when the bytes are damaged, or unpack to more than an outcome may have */
async function decompressed(step: typeof ZSTD | typeof GZIP, bytes: Uint8Array): Promise<Uint8Array> {
  const zlib = getBuiltinModule('node:zlib');
  const name = step === ZSTD ? 'zstdDecompress' : 'gunzip';
  const likely = bytes.length * LIKELY_RATIO;
  const options = { ...pieceOf(likely), maxOutputLength: MAX_TEXT_BYTES };
  if (likely <= MAX_BLOCKING_BYTES) return zlib[`${name}Sync`](bytes, options);
  return pooled((done) => (zlib[name] as typeof zlib.gunzip)(bytes, options, done));
}

/** How many times smaller JSON gets, at the most that is usual. */
const LIKELY_RATIO = 10;

/** Node hands over to the thread pool once for each piece of this size, 16 KB by default. */
const pieceOf = (bytes: number) => ({ chunkSize: Math.ceil(Math.min(bytes, MAX_TEXT_BYTES)) + 1024 });

function pooled(work: (done: (error: Error | null, bytes: Uint8Array) => void) => void): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  work((error, bytes) => (error === null ? resolve(bytes) : reject(error)));
  return promise;
}
