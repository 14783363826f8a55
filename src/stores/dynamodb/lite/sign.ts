import type { KeyObject } from 'node:crypto';
import type { Credentials } from './credentials.ts';

/** A POST request without a query. Header names are in lower case, and all of them are signed. */
interface Signable {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface SigningScope {
  readonly region: string;
  readonly service: string;
}

/** The `Authorization` header. `date`: the value of the header `x-amz-date`, such as `20150830T123600Z`. */
export type Sign = (request: Signable, credentials: Credentials, date: string) => string;

/** AWS Signature Version 4 (AWS: "Create a signed AWS API request"). */
export function signer({ region, service }: SigningScope): Sign {
  const { createHmac, createSecretKey, hash } = process.getBuiltinModule('node:crypto');
  const hmac = (key: string | Uint8Array, text: string) => createHmac('sha256', key).update(text).digest();
  // The key of a day: four digests less for each request. As a KeyObject, which Node need not make again.
  let key: KeyObject;
  let keyOf: string | undefined;

  return ({ path, headers, body }, { accessKeyId, secretAccessKey }, date) => {
    const day = date.slice(0, 8);
    if (keyOf !== day + secretAccessKey) {
      keyOf = day + secretAccessKey;
      const parts = [day, region, service, 'aws4_request'];
      key = createSecretKey(parts.reduce<string | Buffer>(hmac, `AWS4${secretAccessKey}`) as Buffer);
    }
    const names = Object.keys(headers).sort();
    const lines = names.map((name) => `${name}:${headers[name]?.trim().replace(/\s+/g, ' ')}\n`).join('');
    const signed = names.join(';');
    const canonical = `POST\n${canonicalPath(path)}\n\n${lines}\n${signed}\n${hash('sha256', body)}`;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash('sha256', canonical)}`;
    const signature = createHmac('sha256', key).update(toSign).digest('hex');
    return `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  };
}

/** Without empty parts, and encoded once more than it is sent. */
function canonicalPath(path: string): string {
  if (path === '/') return path;
  const encode = (character: string) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(path.replace(/\/+/g, '/'))
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, encode);
}
