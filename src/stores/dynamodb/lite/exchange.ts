import type { ClientRequest, IncomingHttpHeaders } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Limits {
  /** For a connection. */
  readonly connectMillis: number;
  /** For everything, up to the last byte of the answer. */
  readonly answerMillis: number;
  /** Wall clock, epoch milliseconds. */
  now(): number;
}

/** One request and its answer. It throws when no answer came, or only a part of one. */
export type Exchange = (headers: Readonly<Record<string, string>>, body: string) => Promise<Answer>;

/** As many as the SDK opens. */
const MAX_SOCKETS = 50;

/** Gateways forget a connection that was idle for 350 s (AWS: "NAT gateway basics"). Some then drop its packets silently. */
const MAX_IDLE_MILLIS = 300_000;

/** Loaded while the function initialises: Lambda gives that a whole CPU, and a small function a part of one after it. */
const https = process.getBuiltinModule('node:https');

/**
 * Exchanges with one endpoint over connections that are kept. `node:http` is taken from the process: its import in an ES module
 * also loads the runtime's WebSocket, for tens of milliseconds.
 */
export function exchangeWith(url: URL, { connectMillis, answerMillis, now }: Limits): Exchange {
  const { Agent, request } = url.protocol === 'http:' ? process.getBuiltinModule('node:http') : https;
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const target = { agent, method: 'POST', host, port: url.port, path: url.pathname };
  let lastUse = now();

  function closeIdle(): void {
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
  }

  return async (headers, body) => {
    if (now() - lastUse > MAX_IDLE_MILLIS) closeIdle();
    lastUse = now();
    const outgoing = request({ ...target, headers });
    const stopAnswerLimit = limit(outgoing, answerMillis, 'answer');
    let stopConnectLimit: (() => void) | undefined;
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) return;
      stopConnectLimit = limit(outgoing, connectMillis, 'connection');
      socket.once('connect', stopConnectLimit);
    });
    try {
      return await answerOf(outgoing, body);
    } catch (error) {
      // The process was frozen, and its connections have ended meanwhile: the other ones, too.
      if (outgoing.reusedSocket) closeIdle();
      throw Object.assign(error as Error, { wasReused: outgoing.reusedSocket });
    } finally {
      stopAnswerLimit();
      stopConnectLimit?.();
    }
  };
}

/** Sends the request. */
export function answerOf(outgoing: ClientRequest, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject);
    // Without a listener, Node closes the connection, and no error tells of it.
    outgoing.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(new Error('the answer is of another protocol'));
    });
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const whole = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: whole });
      });
    });
    outgoing.end(body);
  });
}

/** A process that was busy, or frozen, first looks at what has come meanwhile. */
function limit(outgoing: ClientRequest, millis: number, what: string): () => void {
  let last: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    last = setImmediate(() => {
      outgoing.destroy(Object.assign(new Error(`no ${what} in ${millis} ms`), { name: 'TimeoutError' }));
    });
  }, millis);
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}
