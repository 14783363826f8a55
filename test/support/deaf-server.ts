import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const LISTEN = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.send(server.address().port));`;
const MANY = 16;

/** A port whose queue of connections is full, and whose process is stopped: no further connection comes about. */
export async function deafServer() {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const [port] = (await once(child, 'message')) as [number];
  child.kill('SIGSTOP');
  const sockets: Socket[] = [];
  for (let n = 0; n < MANY; n++) sockets.push(connect({ port, host: '127.0.0.1' }).on('error', () => undefined));
  await once(sockets[0] as Socket, 'connect');
  return {
    endpoint: `https://127.0.0.1:${port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      child.kill('SIGKILL');
    },
  };
}
