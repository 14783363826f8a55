import { connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { listenHere } from '../../tools/loopback.ts';

/**
 * What becomes of bytes that a client sends. `'cut'`: they are lost, and the connection breaks. `'cut answer'`: the server gets
 * them, and the connection breaks before its answer. `beforeCut`: the same, and this happens in between. `'hang'`: nothing goes
 * through any more.
 */
type Fate = 'pass' | 'cut' | 'cut answer' | 'hang' | { beforeCut(): Promise<unknown> };

export interface TcpProxy {
  readonly port: number;
  /** Asked for all that a client sends. @default pass */
  decide: (sent: Buffer) => Fate;
  /** Breaks every connection. */
  cut(): void;
}

/** A proxy in front of a server of this machine, which makes faults. It passes everything on when a test begins. */
export function useTcpProxy(target: () => string): TcpProxy {
  const sockets = new Set<Socket>();
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const proxy = { port: 0, decide: (): Fate => 'pass', cut };
  const server = createServer((client) => {
    const upstream = connect(Number(new URL(target()).port), '127.0.0.1');
    let fate: Fate = 'pass';
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (sent) => {
      if (fate === 'hang') return;
      fate = (proxy.decide as TcpProxy['decide'])(sent as Buffer);
      if (fate === 'cut') client.destroy();
      else if (fate !== 'hang') upstream.write(sent);
    });
    upstream.on('data', (answer) => {
      if (typeof fate === 'object') {
        void fate.beforeCut().finally(() => client.destroy());
        fate = 'hang';
      } else if (fate === 'cut answer') client.destroy();
      else if (fate !== 'hang') client.write(answer);
    });
  });
  beforeAll(async () => {
    proxy.port = Number(new URL(await listenHere(server)).port);
  });
  beforeEach(() => {
    proxy.decide = () => 'pass';
  });
  afterAll(() => {
    cut();
    server.close();
  });
  return proxy;
}
