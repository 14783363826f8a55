import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../support/sha256.ts';
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

const signer = new SignatureV4({ service: 'execute-api', region: REGION, credentials: CREDENTIALS, sha256: Sha256 });
