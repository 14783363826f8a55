import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { listenHere } from '../../tools/loopback.ts';

/** For 127.0.0.1, signed by itself, valid until 2126. It protects nothing. */
const KEY = `
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnD6TV6x9BX6x4OCD
+ttaXy0/+OchiojxxNtOxONPvM2hRANCAAQIGAM3PYKkypsVXbExHm2KwSa3sqaP
t3fX3rB3xkK+vD15xjQB26k4xMcgFElG4+Dlmo0NtW/+KUdps5Fs7FEu
-----END PRIVATE KEY-----`;
const CERTIFICATE = `
-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUTFrZWx88ypT4iQNaus+7vjWxg30wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODIwMDUyMloYDzIxMjYxMTA0
MjAwNTIyWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQIGAM3PYKkypsVXbExHm2KwSa3sqaPt3fX3rB3xkK+vD15xjQB26k4
xMcgFElG4+Dlmo0NtW/+KUdps5Fs7FEuo28wbTAdBgNVHQ4EFgQUaz/Jz78ITntT
9SkXtmkBzpCylGMwHwYDVR0jBBgwFoAUaz/Jz78ITntT9SkXtmkBzpCylGMwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhAOH4XGfJ1Tw7e+QMAU5pD4sp1y9cuR9fPiRu63qgZON9AiEA
wfw4qzP0c8odTOWYIRP9R3s8NzCoCmRwPbH0cHqm9c4=
-----END CERTIFICATE-----`;

export interface SeenRequest {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** The number of its connection, in the order in which they were opened. */
  readonly connection: number;
}

export type Respond = (response: ServerResponse, request: SeenRequest) => void;

/** A real HTTPS server of this test file's own, which answers as the test says. */
export function useHttpsServer() {
  const connections: unknown[] = [];
  const seen: SeenRequest[] = [];
  const it = {
    endpoint: '',
    seen,
    connections,
    respond: (response: ServerResponse): void => void response.end('{}'),
  } as {
    endpoint: string;
    readonly seen: SeenRequest[];
    readonly connections: unknown[];
    respond: Respond;
  };
  const server = createServer({ key: KEY, cert: CERTIFICATE }, async (incoming, outgoing) => {
    if (!connections.includes(incoming.socket)) connections.push(incoming.socket);
    const connection = connections.indexOf(incoming.socket);
    const request = { headers: incoming.headers, body: await text(incoming), connection };
    seen.push(request);
    it.respond(outgoing, request);
  });
  beforeAll(async () => {
    setDefaultCACertificates([...getCACertificates('default'), CERTIFICATE]);
    it.endpoint = (await listenHere(server)).replace('http:', 'https:');
  });
  beforeEach(() => {
    seen.length = 0;
    connections.length = 0;
    it.respond = (response) => response.end('{}');
  });
  afterAll(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  return it;
}
