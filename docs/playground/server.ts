import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { listenHere } from '../../tools/loopback.ts';
import { BUILT } from './build.ts';

const PROTOCOL = fileURLToPath(new URL('../explain/protocol.md', import.meta.url));

/** The files by their paths, as the site has them. */
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/playground/': [`${BUILT}index.html`, 'text/html'],
  '/playground/playground.js': [`${BUILT}playground.js`, 'text/javascript'],
  '/explain/protocol/': [PROTOCOL, 'text/plain'],
};

/**
 * Serves the page on this machine alone. The page gets `beforeEach` first, such as a build.
 *
 * @returns where it is, and what closes it
 */
export async function servePlayground(beforeEach: () => Promise<unknown> = async () => undefined) {
  const server = createServer(async ({ url = '/' }, response) => {
    const { pathname } = new URL(url, 'http://localhost');
    if (pathname === '/') return response.writeHead(302, { location: '/playground/' }).end();
    const found = FILES[pathname];
    if (found === undefined) return response.writeHead(404).end();
    const [file, type] = found;
    try {
      if (type === 'text/html') await beforeEach();
      response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-store' });
      return response.end(await readFile(file));
    } catch (error) {
      return response.writeHead(500).end(String(error));
    }
  });
  const origin = await listenHere(server);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `${origin}/playground/`, close };
}
