import { createHash } from 'node:crypto';

const MAX_LENGTH = 500;

/** An outcome as it is written down: of a long text its beginning, and a digest of all. */
export function brief(text: string): string {
  if (text.length <= MAX_LENGTH) return text;
  return `${text.slice(0, MAX_LENGTH / 2)}… ${createHash('sha256').update(text).digest('base64url')}`;
}
