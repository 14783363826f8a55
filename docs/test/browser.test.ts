import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasBrowser, launch, PAGES, serve } from './site.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** One of each kind. */
const KINDS = [
  ...['/', '/start/', '/recipes/http/', '/what-happens-when/crash-after-effect/', '/what-happens-when/promises/'],
  '/playground/',
  ...['/reference/options/', '/reference/api/http/', '/explain/protocol/', '/adr/0001-release-keeps-the-record/'],
];
const WIDTHS = [390, 1280];

let browser: Browser;
let server: Server;
let origin: string;

describe.skipIf(!hasBrowser)('in Chromium', () => {
  beforeAll(async () => {
    ({ origin, server } = await serve());
    browser = await launch();
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** A tab whose complaints and requests to other hosts fail the test. */
  async function open(options: BrowserContextOptions = {}): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() !== 'log' && complaints.push(`${page.url()}: ${message.text()}`));
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    page.on('request', (request) => request.url().startsWith(origin) || complaints.push(`asks ${request.url()}`));
    return { page, complaints };
  }

  it('no page scrolls sideways on a phone or a desk, complains, or asks another host', async () => {
    const found: string[] = [];
    const paths = [...PAGES];
    const tab = async () => {
      const { page, complaints } = await open();
      for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
        await page.goto(`${origin}${path}`, { waitUntil: 'load' });
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 844 });
          const needed = await page.evaluate(() => document.documentElement.scrollWidth);
          if (needed > width) found.push(`${path} needs ${needed} of ${width} pixels`);
        }
      }
      found.push(...complaints);
      await page.context().close();
    };
    await Promise.all([tab(), tab(), tab()]);
    expect(found).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('axe finds nothing (%s)', async (colorScheme) => {
    const { page } = await open({ colorScheme });
    const found: string[] = [];
    for (const path of KINDS) {
      await page.goto(`${origin}${path}`, { waitUntil: 'load' });
      expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe(colorScheme);
      await page.evaluate(AXE);
      found.push(...(await page.evaluate(violations)).map((violation) => `${path}: ${violation}`));
    }
    await page.context().close();
    expect(found).toEqual([]);
  });

  it('the front page leads to the first pages', async () => {
    const { page, complaints } = await open();
    await page.goto(origin);
    await page.getByRole('link', { name: 'Guard an HTTP API', exact: true }).first().click();
    await page.waitForURL('**/start/');
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('Guard an HTTP API');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('a page of an accident leads to its schedule in the playground', async () => {
    const { page, complaints } = await open();
    await page.goto(`${origin}/what-happens-when/lost-answer/`);
    await page.getByRole('link', { name: 'Play it' }).click();
    await page.waitForURL('**/playground/#lost-answer');
    await page.getByRole('button', { name: 'Next step' }).click();
    await page.getByText('Step 1 of').waitFor();
    await page.getByRole('link', { name: 'a COMPLETED record' }).click();
    await page.waitForURL('**/explain/protocol/#decision-replay');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it.each([
    ['Retry-After', '/reference/http/'],
    ['fencing token', '/glossary/'],
    ['dead-letter queue', '/recipes/queue-consumers/'],
  ])('search finds %s', async (words, path) => {
    const { page, complaints } = await open();
    await page.goto(origin);
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByPlaceholder('Search').fill(words);
    const hrefs = page.locator('dialog a');
    await hrefs.first().waitFor();
    await page.waitForFunction(
      (wanted) =>
        [...document.querySelectorAll('dialog a')].some((link) => link.getAttribute('href')?.startsWith(wanted)),
      path,
    );
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  it('the theme that a reader chooses stays', async () => {
    const { page } = await open({ colorScheme: 'light' });
    await page.goto(`${origin}/start/`);
    await page.getByLabel('Theme').first().selectOption('dark');
    await page.goto(`${origin}/glossary/`);
    expect(await page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark');
    await page.context().close();
  });

  it('the menu of a phone lists the pages', async () => {
    const { page } = await open({ viewport: { width: 390, height: 844 } });
    await page.goto(`${origin}/recipes/http/`);
    const link = page.getByRole('link', { name: 'Queue consumers', exact: true }).first();
    expect(await link.isVisible()).toBe(false);
    await page.getByRole('button', { name: 'Menu' }).click();
    await link.click();
    await page.waitForURL('**/recipes/queue-consumers/');
    await page.context().close();
  });
});

interface Axe {
  run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] }>;
}

/** Runs in the page. */
async function violations(): Promise<string[]> {
  const { violations: found } = await (globalThis as unknown as { axe: Axe }).axe.run();
  return found.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html }) => `${id}: ${html.slice(0, 160)}`));
}
