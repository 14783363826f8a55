import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Example, paymentRecordId } from '../curl.ts';
import { isFromHere } from '../from-here.ts';
import { pause } from '../source.ts';
import { type PageSources, pageState } from './look.ts';

export interface PageOptions extends PageSources {
  /** The lines to copy. */
  readonly lines: readonly Example[];
}

/** Answers the requests that are for the page. @returns whether this one is */
export type Page = (request: IncomingMessage, response: ServerResponse) => boolean;

const FILES: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  '/': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/page/style.css': { name: 'style.css', type: 'text/css; charset=utf-8' },
  '/page/page.js': { name: 'page.js', type: 'text/javascript; charset=utf-8' },
};
/** Nothing comes from another host, and no other site may frame this one. */
const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
const LOOK_MILLIS = 250;

/**
 * A page for a person in front of this machine. `/` is the page for a browser only: the API answers every other client there.
 * Another site gets nothing of it, also where its name leads to this machine.
 */
export function localPage({ lines, ...sources }: PageOptions): Page {
  const since = new Date().toISOString();

  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://page');
    const isPage = pathname === '/' ? request.headers.accept?.includes('text/html') : pathname.startsWith('/page/');
    if (isPage !== true || request.method !== 'GET') return false;
    if (!isFromHere(request.headers)) {
      response.writeHead(403, HEADERS).end('Only a page of this machine gets this. Open it as http://localhost.\n');
    } else if (pathname === '/page/state') {
      void stream(response, searchParams.get('key') ?? undefined);
    } else if (pathname === '/page/lines') {
      response.writeHead(200, { ...HEADERS, 'content-type': 'application/json' }).end(JSON.stringify(lines));
    } else {
      void sendFile(response, pathname);
    }
    return true;
  };

  /** Server-sent events: what is true now, and again whenever that has changed. */
  async function stream(response: ServerResponse, key: string | undefined): Promise<void> {
    const closed = new AbortController();
    response.once('close', () => closed.abort());
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
    let last = '';
    try {
      const recordId = key === undefined ? undefined : paymentRecordId(key);
      while (!closed.signal.aborted) {
        const state = JSON.stringify(await pageState(sources, { recordId, since }));
        if (state !== last) response.write(`data: ${state}\n\n`);
        last = state;
        await pause(LOOK_MILLIS, closed.signal);
      }
    } catch {
      // The browser asks again. It says that the runner has ended, where that is the reason.
      response.end();
    }
  }
}

async function sendFile(response: ServerResponse, pathname: string): Promise<void> {
  const file = FILES[pathname];
  if (file === undefined) return void response.writeHead(404, HEADERS).end();
  const content = await readFile(new URL(file.name, import.meta.url));
  response.writeHead(200, { ...HEADERS, vary: 'accept', 'content-type': file.type }).end(content);
}
