import { type CodecContext, decoded, encoded, type OutcomeCodec, unknownEncoding } from './codec.ts';
import { compressed, decompressed } from './compression.ts';

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
      const smaller = await compressed(text);
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

/** @throws TypeError when the bytes are no UTF-8 */
function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
