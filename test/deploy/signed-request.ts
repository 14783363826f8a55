import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { CREDENTIALS, REGION } from './cdk.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface Call {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Whether to sign as `curl --aws-sigv4` does. */
  readonly signed: boolean;
}

/** A request to the deployed API. Its host is a name of the emulator's that only some resolvers know: ask 127.0.0.1. */
export async function call(url: string, { method = 'GET', headers = {}, body = '', signed }: Call): Promise<Answer> {
  const { host, hostname, port, pathname } = new URL(url);
  const unsigned = { method, protocol: 'http:', hostname, path: pathname, headers: { ...headers, host }, body };
  const toSend = signed ? await signer.sign({ ...unsigned, query: {} }) : unsigned;
  const outgoing = request({ host: '127.0.0.1', port, method, path: pathname, headers: { ...toSend.headers } });
  outgoing.end(body);
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) };
}

/** The digest that the signer wants: SHA-256, or HMAC-SHA-256 when it has a secret. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret));
  }
  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data));
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
  reset(): void {
    throw new Error('the signer makes a new one for each digest');
  }
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

const signer = new SignatureV4({ service: 'execute-api', region: REGION, credentials: CREDENTIALS, sha256: Sha256 });
