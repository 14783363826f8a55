import { compressed, decompressed } from './compression.ts';

/** Text as an attribute holds it. */
export interface PackedText {
  /** What was done to the text, each step behind a '+', to be undone from the end; `''` for text as it is. */
  readonly encoding: string;
  readonly value: string | Uint8Array;
}

/** How text becomes an attribute's value, and the value text again. */
export interface TextCodec {
  pack(text: string): Promise<PackedText>;
  /** @throws Error that says why the text cannot be read */
  unpack(packed: PackedText): Promise<string>;
}

const GZIP = '+gzip';

export function createTextCodec(): TextCodec {
  return {
    async pack(text) {
      const packed = await compressed(text);
      return packed === undefined ? { encoding: '', value: text } : { encoding: GZIP, value: packed };
    },

    async unpack({ encoding, value }) {
      if (encoding !== '' && encoding !== GZIP) throw new Error(`its encoding '${encoding}' is not known here`);
      if (typeof value === 'string') {
        if (encoding !== '') throw new Error('it is text where bytes should be');
        return value;
      }
      return utf8(encoding === GZIP ? await decompressed(value) : value);
    },
  };
}

/** @throws TypeError when the bytes are no UTF-8 */
function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
}
