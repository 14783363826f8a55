import { once } from 'node:events';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { CHROMIUM_OPTIONS, findChromium } from '../../tools/chromium.ts';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

/** The files of the site, from `docs/dist`. */
export const FILES = globSync('**/*', { cwd: DIST }).filter((file) => statSync(`${DIST}${file}`).isFile());

/** Paths of the pages: `/`, `/recipes/http/`. */
export const PAGES = FILES.filter((file) => file.endsWith('index.html'))
  .map((file) => `/${file.replace(/index\.html$/, '')}`)
  .sort();

export const sizeOf = (file: string) => statSync(`${DIST}${file}`).size;
export const textOf = (file: string) => readFileSync(`${DIST}${file}`, 'utf8');
export const fileOf = (path: string) => `${path.slice(1)}${path.endsWith('/') ? 'index.html' : ''}`;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
};

/** Serves `docs/dist` as any host of static files does. */
export async function serve(): Promise<{ origin: string; server: Server }> {
  const server = createServer(({ url = '/' }, response) => {
    const file = `${DIST}${fileOf(decodeURIComponent(new URL(url, 'http://site').pathname))}`;
    const isThere = existsSync(file) && statSync(file).isFile();
    const found = isThere ? file : `${DIST}404.html`;
    response.writeHead(isThere ? 200 : 404, {
      'content-type': TYPES[extname(found)] ?? 'application/octet-stream',
      'cache-control': 'max-age=600',
    });
    response.end(readFileSync(found));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

const executablePath = findChromium();

/** Whether this machine has a browser for the tests. */
export const hasBrowser = executablePath !== undefined;
if (!hasBrowser) console.log('No Chromium here: the tests of the site in a browser are skipped.');

export const launch = (): Promise<Browser> =>
  chromium.launch({ ...(executablePath && { executablePath }), args: [...CHROMIUM_OPTIONS] });
