import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { listenHere } from '../../tools/loopback.ts';
import { CERTIFICATE, KEY } from '../../tools/loopback-tls.ts';

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
