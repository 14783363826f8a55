import { isUtf8 } from 'node:buffer';
import { gunzipSync } from 'node:zlib';

/** A Lambda request has 6 MB at most (AWS: "Lambda quotas"); what unpacks to much more is an attack. */
const MAX_UNPACKED_BYTES = 64 * 1024 * 1024;

/**
 * The functions that Powertools adds to JMESPath, by their names. What they cannot read is an error, so that two different
 * requests never look the same. Nothing to read is nothing selected: a request without a body has no key, not the key "null".
 */
export const POWERTOOLS_FUNCTIONS: ReadonlyMap<string, (value: unknown) => unknown> = new Map([
  reader('powertools_json', (text) => JSON.parse(text)),
  reader('powertools_base64', (text) => new TextDecoder().decode(utf8(bytesOf(text)))),
  reader('powertools_base64_gzip', (text) =>
    utf8(gunzipSync(bytesOf(text), { maxOutputLength: MAX_UNPACKED_BYTES })).toString(),
  ),
]);

/** What one of the functions should read is no text. The message has nothing of the request. */
export class NotText extends TypeError {}

function reader(name: string, read: (text: string) => unknown): [name: string, (value: unknown) => unknown] {
  return [
    name,
    (value) => {
      if (value === null || value === undefined) return null;
      if (typeof value === 'string') return read(value);
      const type = Array.isArray(value) ? 'a list' : typeof value === 'object' ? 'an object' : `a ${typeof value}`;
      throw new NotText(
        `${name}() got ${type}, and reads text. Has a body parser in front of this guard parsed it? Use this guard first.`,
      );
    },
  ];
}

/** `Buffer` skips what is not base64, so that different texts would be the same bytes. */
function bytesOf(base64: string): Buffer {
  if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) throw new TypeError('the text is not base64');
  return Buffer.from(base64, 'base64');
}

/** Decoding replaces every malformed byte by the same character. */
function utf8(bytes: Buffer): Buffer {
  if (!isUtf8(bytes)) throw new TypeError('the decoded bytes are not UTF-8');
  return bytes;
}
