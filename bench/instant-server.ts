import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { listenHere } from '../tools/loopback.ts';
import { CERTIFICATE, KEY } from '../tools/loopback-tls.ts';
import { type Answer, written } from './instant-client.ts';

export interface InstantServer {
  readonly endpoint: string;
  close(): void;
}

/** Says to every request that it was done, or that an item was in its way. `tls`: by HTTPS, as in Lambda. */
export async function instantServer(tls: boolean, answer: Answer = {}): Promise<InstantServer> {
  const { statusCode, body } = written(answer);
  const headers = { 'content-type': 'application/x-amz-json-1.0', 'content-length': body.length };
  const listener: RequestListener = (request, response) => {
    request.resume().on('end', () => response.writeHead(statusCode, headers).end(body));
  };
  const server = tls ? createTlsServer({ key: KEY, cert: CERTIFICATE }, listener) : createServer(listener);
  const endpoint = await listenHere(server);
  return {
    endpoint: tls ? endpoint.replace('http:', 'https:') : endpoint,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
