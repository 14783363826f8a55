import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda';
import { createContext, type FunctionSettings } from '../../tools/context.ts';
import { readBody } from './body.ts';
import { toEvent } from './event.ts';
import type { Page } from './page/serve.ts';
import { gatewayResponse, type HttpResponse, toHttpResponse } from './result.ts';

/** A Lambda function behind an HTTP API. */
export type LambdaFunction = (event: APIGatewayProxyEventV2, context: Context) => Promise<unknown>;

export interface GatewayOptions extends FunctionSettings {
  /** On 127.0.0.1; 0 is any free port. */
  readonly port: number;
  /** Gets a line for every request, and what the function threw. */
  readonly log: (line: string) => void;
}

export interface Gateway {
  /** `http://127.0.0.1:<port>` */
  readonly origin: string;
  /** Gives requests to the function. Before that they are answered with 503. */
  invoke(lambda: LambdaFunction): void;
  /** Asks a page first: it answers the requests that are for it. */
  show(page: Page): void;
  /** Ends the connections, too. */
  close(): Promise<void>;
}

/**
 * Listens as an API Gateway HTTP API whose only route is a Lambda function. Invokes it with payload
 * format 2.0, and a context whose time runs out.
 *
 * @throws Error that says so when the port is taken
 */
export async function openGateway({ port, log, ...settings }: GatewayOptions): Promise<Gateway> {
  let lambda: LambdaFunction | undefined;
  let page: Page | undefined;
  const server = createServer(async (request, response) => {
    if (page?.(request, response) === true) return;
    const startedAt = performance.now();
    const answer = await handle(request).catch((error: unknown) => {
      if (!request.complete) return undefined;
      log(`the function failed: ${error instanceof Error ? error.stack : String(error)}`);
      return gatewayResponse(500);
    });
    if (answer === undefined) return;
    const { statusCode, headers, body } = answer;
    // RFC 9110, section 8.6: no length where there can be no content.
    response.writeHead(statusCode, { ...headers, ...(body && { 'content-length': body.length }) }).end(body);
    log(`${request.method} ${request.url} ${statusCode} ${Math.round(performance.now() - startedAt)} ms`);
  });

  async function handle(request: IncomingMessage): Promise<HttpResponse> {
    const body = await readBody(request);
    if (body === undefined) return gatewayResponse(413);
    if (lambda === undefined) return gatewayResponse(503);
    const requestId = randomUUID();
    const event = toEvent(request, body, { requestId, at: Date.now() });
    return withinTimeout(settings, lambda(event, createContext(requestId, settings)));
  }

  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new Error(explain(cause as NodeJS.ErrnoException, port), { cause });
  }
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    invoke(given) {
      lambda = given;
    },
    show(given) {
      page = given;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function withinTimeout({ timeoutMillis }: FunctionSettings, result: Promise<unknown>): Promise<HttpResponse> {
  const answered = new AbortController();
  const timeout = sleep(timeoutMillis, gatewayResponse(503), { signal: answered.signal });
  try {
    return await Promise.race([result.then(toHttpResponse), timeout]);
  } finally {
    answered.abort();
  }
}

function explain({ code, message }: NodeJS.ErrnoException, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} is taken: set PORT to another one, or to 0 for any free port`;
    case 'EACCES':
      return `port ${port} may not be used: set PORT to one above 1023`;
    default:
      return `cannot listen on port ${port}: ${message}`;
  }
}
