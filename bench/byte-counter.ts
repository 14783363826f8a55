import { connect, createServer, type Socket } from 'node:net';
import { listenHere } from '../tools/loopback.ts';

/** A wire to `endpoint` that counts what goes over it, both ways. */
export async function startByteCounter(endpoint: string) {
  const { hostname, port } = new URL(endpoint);
  const sockets = new Set<Socket>();
  let bytes = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        bytes += chunk.length;
      });
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  return {
    endpoint: await listenHere(server),
    bytes: () => bytes,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
