import type { OutcomeCodec } from '../../src/stores/dynamodb.ts';

/** More than an item can hold, and a little. */
const LARGE_BYTES = 420_000;

/** What a bulky result counts for: two of them fill most of what a record may hold. */
const BULKY_BYTES = 400;

/** How large a text counts, where records have a limit. */
export function bytesOf(text: string): number {
  return text.includes('bulky') ? BULKY_BYTES : text.length;
}

/** More than a record may hold of steps before they get items of their own. */
const BULKY_ITEM_BYTES = 3000;

const QUOTE = 0x22;

/**
 * A user's codec that makes what is called large exceed an item, and what is called bulky get an item of its own: half of the text, zeros, the other half. It has no
 * checksum, and mends the end of what it is given, so that nothing but the store itself can notice that a part is gone.
 */
export const paddingCodec: OutcomeCodec = {
  name: 'padding',
  encode(bytes) {
    const text = Buffer.from(bytes);
    const length = text.includes('large') ? LARGE_BYTES : text.includes('bulky') ? BULKY_ITEM_BYTES : bytes.length;
    if (length === bytes.length) return bytes;
    const padded = Buffer.alloc(length);
    const half = bytes.length >> 1;
    padded.set(bytes.subarray(0, half));
    padded.set(bytes.subarray(half), length - (bytes.length - half));
    return padded;
  },
  decode: (bytes) => {
    const text = unpad(bytes);
    const isCut = text.at(0) === QUOTE && text.at(-1) !== QUOTE;
    return isCut ? Buffer.concat([text, Buffer.of(QUOTE)]) : text;
  },
};

/** The bytes without the zeros in their middle. */
export function unpad(bytes: Uint8Array): Buffer {
  const from = bytes.indexOf(0);
  if (from < 0) return Buffer.from(bytes);
  let to = bytes.length;
  while (to > from && bytes[to - 1] !== 0) to--;
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
}
