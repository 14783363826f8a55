import { mkdir } from 'node:fs/promises';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildPlayground } from '../../../docs/playground/build.ts';
import { READY, readyById } from '../../../docs/playground/schedules/index.ts';
import { playReady, type Ready, sentenceOf } from '../../../docs/playground/schedules/ready.ts';
import { servePlayground } from '../../../docs/playground/server.ts';
import { CHROMIUM_OPTIONS, findChromium } from '../../../tools/chromium.ts';

const SCREENSHOTS = 'reports/playground';
const executablePath = findChromium();
if (executablePath === undefined)
  console.log('The playground is not tested in a browser: install chromium (apt-get install chromium).');

/** Gzip makes a third of it. */
const MOST_BYTES = 135_000;

describe.skipIf(executablePath === undefined)('the playground in a browser', () => {
  let browser: Browser;
  let served: Awaited<ReturnType<typeof servePlayground>>;
  let bytes = 0;
  /** What no page may do: complain, or ask another host. */
  const complaints: string[] = [];

  beforeAll(async () => {
    bytes = await buildPlayground();
    served = await servePlayground();
    browser = await chromium.launch({ ...(executablePath && { executablePath }), args: [...CHROMIUM_OPTIONS] });
    await mkdir(SCREENSHOTS, { recursive: true });
  });

  afterAll(async () => {
    await browser?.close();
    await served?.close();
  });

  async function open(hash: string, options: BrowserContextOptions = {}): Promise<Page> {
    const page = await browser.newPage({ reducedMotion: 'reduce', viewport: { width: 1280, height: 900 }, ...options });
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      const url = request.url();
      if (!url.startsWith(new URL(served.url).origin) && !url.startsWith('data:')) complaints.push(url);
    });
    await page.goto(`${served.url}#${hash}`);
    await page.locator('.lanes').waitFor();
    return page;
  }

  const textOf = (page: Page, selector: string) => page.locator(selector).first().innerText();
  const key = (name: string) => `[data-key="${name}"]`;

  it('is one module of a size that a phone can take', () => {
    expect(bytes).toBeLessThan(MOST_BYTES);
  });

  it('ends every ready schedule as its page says', async () => {
    const page = await open('lost-answer');
    const ended = await page.evaluate(
      async (ids) => {
        const playground = document.querySelector('idempotency-playground');
        const ends: Record<string, string> = {};
        for (const id of ids) {
          const shown = new Promise((resolve) => playground?.addEventListener('shown', resolve, { once: true }));
          location.hash = `${id}&at=999`;
          await shown;
          ends[id] = playground?.shadowRoot?.querySelector('[data-end]')?.textContent ?? '';
        }
        return ends;
      },
      READY.map(({ id }) => id),
    );
    expect(ended).toEqual(Object.fromEntries(READY.map(({ id, ends }) => [id, `How it ends: ${sentenceOf(ends)}`])));
    await page.close();
  });

  it('can be played by keyboard alone, and says each step aloud', async () => {
    const page = await open('lost-answer');
    const { length } = (await playReady(readyById('lost-answer') as Ready)).actions;
    await page.locator(key('next')).focus();
    for (let step = 1; step <= length; step++) await page.keyboard.press('Enter');
    const end = sentenceOf((readyById('lost-answer') as Ready).ends);
    expect(await textOf(page, '[data-end]')).toContain(end);
    expect(await page.locator('[aria-live]').innerText()).toContain(`Step ${length}. The client gets 201 Created`);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(page.url()).toContain(`#lost-answer&at=${length - 2}`);
    await page.keyboard.press('ArrowRight');
    await page.locator(key('kill1')).waitFor({ state: 'detached' });
    await page.close();
  });

  it('lets a reader leave the plan, undo it, and share it', async () => {
    const page = await open('lost-answer&at=4');
    await page.locator(key('kill1')).press('Enter');
    expect(await textOf(page, '[data-process="dead"] .what')).toBe('knows nothing');
    const link = page.url();
    expect(link).toMatch(/#play=send1\.go1\.go1\.go1\.kill1$/);
    await page.locator(key('lease')).press('Enter');
    await page.locator(key('undo')).press('Enter');
    expect(await textOf(page, '.clock time')).toBe('0:00');
    await page.locator(key('replay')).press('Enter');
    expect(await textOf(page, '.balance b')).toBe('€200');
    const again = await open(link.split('#')[1] ?? '');
    expect(await again.locator('[data-process="dead"]').count()).toBe(1);
    expect(await textOf(again, '.story .now .line')).toContain('Process 1 dies');
    await page.close();
    await again.close();
  });

  it('has every schedule in one list, the places of a kill as buttons, and a setup for free play', async () => {
    const page = await open('lost-answer');
    await page.locator('#schedule').selectOption('kill-plain-claim-leaving');
    await page.locator(key('kill-plain-charge-applied')).press('Enter');
    await page.locator('h2', { hasText: 'plain: killed at "charge: applied"' }).waitFor();
    expect(page.url()).toMatch(/#kill-plain-charge-applied$/);
    await page.locator('#schedule').selectOption('');
    await page.locator('#set-work').selectOption('works in steps');
    await page.locator('#set-requests').selectOption('four');
    expect(page.url()).toMatch(/#requests=4&work=steps&play=$/);
    expect(await page.locator('.lane').count()).toBe(4);
    await page.close();
  });

  it('says what is wrong with a link', async () => {
    const page = await open('play=send1.jump1');
    expect(await textOf(page, '[role="alert"]')).toBe("This link is no schedule: 'jump1' is not an action.");
    await page.close();
  });

  it('marks the decision that was taken, with a link into the table of decisions', async () => {
    const page = await open('reused-key&at=13');
    const link = page.locator('.taken a');
    expect(await link.innerText()).toBe('another payload (fingerprint)');
    const target = new URL((await link.getAttribute('href')) ?? '', served.url);
    expect(target.hash).toBe('#decision-reused');
    expect(await (await fetch(target)).text()).toContain(`<a id="${target.hash.slice(1)}"></a>`);
    await page.close();
  });

  it('moves messages only where motion is wanted', async () => {
    const animations = async (reducedMotion: 'reduce' | 'no-preference') => {
      const page = await open('lost-answer&at=1', { reducedMotion });
      await page.locator(key('next')).press('Enter');
      const count = await page.evaluate(
        () => document.querySelector('idempotency-playground')?.shadowRoot?.getAnimations().length ?? 0,
      );
      await page.close();
      return count;
    };
    expect(await animations('reduce')).toBe(0);
    expect(await animations('no-preference')).toBeGreaterThan(0);
  });

  const STATES = [
    'lost-answer',
    'crash-after-effect&at=6',
    'two-at-once&at=5',
    'kill-step-charge-applied&at=55',
    'play=',
  ];

  // Colours do not depend on the width, nor the layout on the colours.
  it.each([
    { width: 1280, colorScheme: 'light', states: STATES },
    { width: 390, colorScheme: 'dark', states: STATES },
    { width: 1280, colorScheme: 'dark', states: STATES.slice(1, 2) },
    { width: 390, colorScheme: 'light', states: STATES.slice(1, 2) },
  ] as const)('is accessible at $width pixels, $colorScheme, and fits', async ({ width, colorScheme, states }) => {
    const page = await open('i1', { colorScheme, viewport: { width, height: width === 390 ? 844 : 900 } });
    await page.addScriptTag({ content: axe.source });
    const findings: unknown[] = [];
    for (const hash of states) {
      await page.evaluate(async (wanted) => {
        const playground = document.querySelector('idempotency-playground');
        const shown = new Promise((resolve) => playground?.addEventListener('shown', resolve, { once: true }));
        location.hash = wanted;
        await shown;
      }, hash);
      const { passes, violations } = await page.evaluate(() =>
        (globalThis as unknown as { axe: typeof axe }).axe.run(),
      );
      findings.push(...violations.map(({ id, nodes }) => ({ hash, id, targets: nodes.map(({ html }) => html) })));
      // It has looked into the component.
      expect(passes.find(({ id }) => id === 'color-contrast')?.nodes.length).toBeGreaterThan(20);
      const tooWide = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      if (tooWide > 0) findings.push({ hash, tooWide });
      const name = hash.replace(/[^a-z0-9-]+/g, '-');
      await page.screenshot({ path: `${SCREENSHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
    expect(findings).toEqual([]);
    await page.close();
  });

  it('has not complained, and has asked no other host', () => {
    expect(complaints).toEqual([]);
  });
});
