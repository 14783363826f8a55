import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../../test/support/proxy.ts';
import { listenHere } from '../../tools/loopback.ts';
import type { Faults } from './faults.ts';

export interface TcpProxy {
  readonly port: number;
  /** How many have met a fault, or the decision that there is none. */
  requests(): number;
  close(): Promise<void>;
}

interface TcpProxyOptions {
  /** Where the database is. */
  readonly port: number;
  readonly faults: Faults;
  /** Whether a fault is for what is sent: no answer is lost of what has none. */
  isRequest(sent: Buffer): boolean;
  /** Has the database do it once more, behind the client's back. `answer`: the end of its last answer on this connection. */
  repeat(sent: Buffer, answer: Buffer): Promise<void>;
}

/** A connection of which nothing is heard any more is closed after this. */
const HANGING_MILLIS = 4000;

interface Delays {
  readonly delayMillis?: number;
  readonly delayAnswerMillis?: number;
  readonly repeatAfterMillis?: number;
}

/** In front of a database: cuts connections, delays and repeats what goes through them. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let requests = 0;
  const server = createServer((client) => {
    const upstream = connect(options.port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    const line = lineBetween(client, upstream, options);
    let turn = Promise.resolve();
    client.on('data', (sent: Buffer) => {
      if (options.isRequest(sent)) requests++;
      // In their order, whatever is delayed.
      turn = turn.then(() => line.send(sent)).catch(() => void client.destroy());
    });
  });
  const { port } = new URL(await listenHere(server));
  return {
    port: Number(port),
    requests: () => requests,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function lineBetween(client: Socket, upstream: Socket, { faults, isRequest, repeat }: TcpProxyOptions) {
  let onAnswer: (answer: Buffer) => unknown = (answer) => client.write(answer);
  let last: Buffer = Buffer.alloc(0);
  let answers = Promise.resolve();
  upstream.on('data', (answer: Buffer) => {
    last = answer;
    answers = answers.then(async () => void (await onAnswer(answer)));
  });

  return {
    async send(sent: Buffer): Promise<void> {
      const fault: Fault = isRequest(sent) ? faults.next() : 'pass';
      switch (fault) {
        case 'drop':
        case 'fail':
        case 'throttle':
          client.destroy();
          return;
        case 'hang':
          setTimeout(() => client.destroy(), HANGING_MILLIS).unref();
          return new Promise(() => undefined);
        case 'lose answer':
        case 'fail after applying':
          onAnswer = () => client.destroy();
          break;
      }
      const { delayMillis, delayAnswerMillis, repeatAfterMillis }: Delays = typeof fault === 'string' ? {} : fault;
      if (delayMillis !== undefined) await sleep(delayMillis);
      if (delayAnswerMillis !== undefined) onAnswer = (answer) => late(answer, delayAnswerMillis);
      if (repeatAfterMillis !== undefined) again(sent, last, repeatAfterMillis);
      // A client may be gone, and what it has sent arrives.
      upstream.write(sent);
    },
  };

  async function late(answer: Buffer, millis: number): Promise<void> {
    onAnswer = (next) => client.write(next);
    await sleep(millis);
    client.write(answer);
  }

  function again(sent: Buffer, answer: Buffer, millis: number): void {
    const timer = setTimeout(() => void repeat(sent, answer).catch(() => undefined), millis);
    timer.unref();
  }
}
