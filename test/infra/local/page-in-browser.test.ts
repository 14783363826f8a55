import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHROMIUM_OPTIONS, findChromium } from '../../../tools/chromium.ts';
import { useRunner } from './page-runner.ts';

const executablePath = findChromium();
if (executablePath === undefined) {
  console.log('The page of npm start is not tested in a browser: install chromium (apt-get install chromium).');
}

describe.skipIf(executablePath === undefined)('the page of npm start, in Chromium', () => {
  // Long enough for the second of two requests to arrive while the first one is running.
  const runner = useRunner('dynamodb', 500);
  let browser: Browser;
  let page: Page;
  const unexpected: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath as string, args: [...CHROMIUM_OPTIONS] });
    page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    page.on('pageerror', (error) => unexpected.push(String(error)));
    page.on('console', (message) => {
      // The refusals that the page is about.
      const isRefusal = /the server responded with a status of (409|500)/.test(message.text());
      if (message.type() === 'error' && !isRefusal) unexpected.push(message.text());
    });
    page.on('request', (request) => {
      if (new URL(request.url()).origin !== runner.origin) unexpected.push(request.url());
    });
    await page.goto(runner.origin);
  });
  afterAll(() => browser?.close());

  /** By the keyboard alone. */
  const press = (name: string) => page.getByRole('button', { name, exact: true }).press('Enter');
  const said = (text: RegExp) => page.getByRole('status').getByText(text).waitFor();
  const answers = async (count: number) => {
    await page
      .locator('#answers li')
      .nth(count - 1)
      .waitFor();
    return (await page.locator('#answers .status').allTextContents()).toReversed();
  };
  const counts = (texts: Readonly<Record<string, number>>) =>
    expect
      .poll(
        async () => {
          const found = Object.keys(texts).map(async (id) => [id, Number(await page.locator(`#${id}`).textContent())]);
          return Object.fromEntries(await Promise.all(found));
        },
        { timeout: 15_000 },
      )
      .toEqual(texts);

  async function violations(colorScheme: 'light' | 'dark'): Promise<string[]> {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
    return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join()}`);
  }

  it('pays once, whatever the person does, and says what happened', { timeout: 60_000 }, async () => {
    expect(await violations('light')).toEqual([]);
    expect(await page.getByRole('button', { name: 'Retry', exact: true }).isDisabled()).toBe(true);

    await press('Pay');
    await said(/^201: the card was charged/);
    await press('Retry');
    await said(/^201, the same bytes as before/);
    await counts({ requests: 2, charges: 1, payments: 1, booked: 1 });

    await press('Pay twice at once');
    await said(/^201 and 409: one request got the lease/);
    await counts({ requests: 2, charges: 1, payments: 1, booked: 1 });

    await press('Pay, and kill the function');
    await said(/^500: the card is charged/);
    await counts({ requests: 1, charges: 1, payments: 0, booked: 0 });
    await press('Retry');
    await said(/^409: the dead function still has its lease/);
    await page.getByText('(over: a retry may take over)').first().waitFor();
    await press('Retry');
    await said(/^201: the lease was over, so the retry took over/);
    await counts({ requests: 3, charges: 1, payments: 1, booked: 1 });
    expect(await page.locator('#record-attempt').textContent()).toBe('2');
    expect(await page.locator('#all-charges tr').first().textContent()).toContain('2 times, with one key');
    const [pay, retry, ...others] = await answers(7);
    expect([pay, retry, ...others.slice(0, 2).toSorted(), ...others.slice(2)]).toEqual([
      '201',
      '201',
      '201',
      '409',
      '500',
      '409',
      '201',
    ]);

    expect(await violations('dark')).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    expect(unexpected).toEqual([]);
  });
});
