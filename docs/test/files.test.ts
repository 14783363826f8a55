import { expect, it } from 'vitest';
import { FILES, fileOf, PAGES, sizeOf, textOf } from './site.ts';

const HTML = FILES.filter((file) => file.endsWith('.html'));

it('is under 5 MB', () => {
  expect(FILES.reduce((sum, file) => sum + sizeOf(file), 0)).toBeLessThan(5_000_000);
});

it('has the pages of docs/ and the types of each entry point', () => {
  for (const path of [
    '/',
    '/start/',
    '/recipes/http/',
    '/adr/',
    '/reference/api/main/',
    '/reference/api/dynamodb/lite/',
  ]) {
    expect(PAGES).toContain(path);
  }
});

it('asks no other host for anything', () => {
  const loaded = /<(?:script|img|iframe|source|link(?! rel="canonical"))[^>]+(?:src|href)="(?:https?:)?\/\/[^"]*"/g;
  const asked = HTML.flatMap((file) => [...textOf(file).matchAll(loaded)].map(([tag]) => `${file}: ${tag}`));
  const styles = FILES.filter((file) => file.endsWith('.css')).flatMap((file) => {
    return [...textOf(file).matchAll(/(?:@import|url\()\s*['"]?(?:https?:)?\/\/[^'")]*/g)].map(
      ([url]) => `${file}: ${url}`,
    );
  });
  expect([...asked, ...styles]).toEqual([]);
});

it('has no dead link, and no dead anchor', () => {
  const anchors = new Map(HTML.map((file) => [file, idsOf(textOf(file))]));
  const dead = HTML.filter((file) => file !== '404.html').flatMap((file) =>
    hrefsOf(textOf(file)).flatMap((href) => {
      const { pathname, hash, host } = new URL(href, `http://site/${file.replace(/index\.html$/, '')}`);
      if (host !== 'site') return [];
      const target = fileOf(decodeURIComponent(pathname));
      const isAnchor = (anchor: string) =>
        anchor === '' || anchors.get(target)?.has(decodeURIComponent(anchor)) === true;
      // Behind the playground's path stands a schedule.
      const isThere = FILES.includes(target) && (pathname === '/playground/' || isAnchor(hash.slice(1)));
      return isThere ? [] : [`${file}: ${href}`];
    }),
  );
  expect(dead).toEqual([]);
});

it('shows each file that a page includes under its name', () => {
  expect(textOf('start/index.html')).toMatch(/payments\.test\.ts<\/span>/);
});

it('draws each diagram, with its words for screen readers', () => {
  const page = textOf('what-happens-when/lost-answer/index.html');
  expect(page).toMatch(
    /<div class="diagram" role="img" tabindex="0" aria-label="Diagram\. Client to Lambda: POST[^"]+"><svg/,
  );
  expect(page.match(/class="message lost"/g)).toHaveLength(1);
  expect(HTML.filter((file) => textOf(file).includes('class="language-mermaid"'))).toEqual([]);
});

const hrefsOf = (html: string) =>
  [...html.matchAll(/<a [^>]*?href="([^"]*)"/g)].map(([, href = '']) => href.replaceAll('&amp;', '&'));
const idsOf = (html: string) => new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id = '']) => id));
