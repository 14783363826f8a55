import { getBuiltinModule } from '../builtins.ts';
import type { HttpRequest } from './request.ts';

const DECODERS = new Map([
  ['br', 'brotliDecompressSync'],
  ['deflate', 'unzipSync'],
  ['gzip', 'unzipSync'],
  ['zstd', 'zstdDecompressSync'],
] as const);

/** In base64, Lambda sends no more (AWS: "Lambda quotas", 6 MB). */
const LIMIT = { maxOutputLength: 4.5e6 };

/**
 * The body without its content coding, in base64 as before. `undefined` where the client accepts the coding, or the body
 * cannot be decoded. Without `Accept-Encoding`, and with `*`, the client gets what every client can read.
 */
export function decodedBody(
  body: unknown,
  coding: string,
  { header }: Pick<HttpRequest, 'header'>,
): string | undefined {
  const decode = DECODERS.get(coding as 'br');
  if (decode === undefined) return undefined;
  const accepted = header('accept-encoding').join().replace(/\s/g, '');
  // RFC 9110, section 12.5.3: a weight of 0 refuses the coding.
  if (new RegExp(`\\b${coding}\\b(?!;q=0(\\.0*)?(,|$))`, 'i').test(accepted)) return undefined;
  try {
    const bytes = Buffer.from(body as string, 'base64');
    return getBuiltinModule('node:zlib')[decode](bytes, LIMIT).toString('base64');
  } catch {
    return undefined;
  }
}
