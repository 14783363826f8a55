import { inspect } from 'node:util';
import { apiGatewayV2Event, type CheckReport, checkIdempotency, expectIdempotent } from 'middy-idempotency/testing';
import { describe, expect, it } from 'vitest';
import * as mistakes from '../../examples/test-your-handler/mistakes.ts';
import { payment } from '../../examples/test-your-handler/payment.ts';
import { fakePorts, type Order } from '../../examples/test-your-handler/ports.ts';
import { terminal } from '../../tools/pictures/terminal.ts';
import { page } from '../support/pages.ts';

const PAGE = 'docs/recipes/test-your-handler.md';

const order: Order = { id: '4711', amount: 10 };
const event = apiGatewayV2Event({ path: '/payments', headers: { 'idempotency-key': '"k-1"' }, body: order });

it('the payment is safe to retry', async () => {
  expect((await expectIdempotent({ handler: payment, event, effects: fakePorts, pairs: 200 })).findings).toEqual([]);
});

const brief = ({ findings }: CheckReport) =>
  findings.map(({ problem, effect = '', place, fault }) => `${problem} ${effect}: ${fault} at ${place}`.trim());

describe('the check finds the mistake, and names the place:', () => {
  const handlers: Readonly<Record<string, unknown>> = mistakes;

  it.each<[keyof typeof mistakes, RegExp, RegExp]>([
    ['effectBeforeGuard', /^refused-with-effect processor\.charge/, /in front of the guard: move it behind/],
    ['randomKey', /^repeated processor\.charge: crash-after at processor\.charge/, /deriveKey\('charge'\)/],
    ['twoEffectsWithoutSteps', /^repeated receipts\.send/, /deriveKey\('send'\)/],
    ['swallowedError', /^lost processor\.charge: error-not-applied at processor\.charge/, /swallows the error/],
    ['settleStoresUnavailable', /^stuck : error-not-applied at processor\.charge/, /release/],
    ['effectInAfterHook', /^repeated receipts\.send/, /deriveKey\('send'\)/],
    ['publisherBesideTransaction', /^lost publisher\.publish: crash-after at store\.transact/, /outbox/],
  ])('%s', async (name, finding, advice) => {
    const report = await checkIdempotency({ handler: handlers[name] as typeof payment, event, effects: fakePorts });
    expect(brief(report)).toContainEqual(expect.stringMatching(finding));
    expect(report.findings.map((one) => one.advice)).toContainEqual(expect.stringMatching(advice));
  });

  it('keyFromTimestamp', async () => {
    const report = await checkIdempotency({ handler: mistakes.keyFromTimestamp, event: order, effects: fakePorts });
    expect(brief(report)).toContainEqual('repeated processor.charge: none at');
  });
});

describe('the page shows', () => {
  const check = () => checkIdempotency({ handler: mistakes.twoEffectsWithoutSteps, event, effects: fakePorts });

  it('the report as text', async () => expect(page(PAGE)).toContain(`\`\`\`text\n${await check()}\n\`\`\`\n`));

  it('the report as a picture of the terminal', async () => {
    const frame = {
      title: 'A report of the test kit in a terminal',
      description: 'The page has the same report as text: one finding, four places, what to do, and how it happened.',
    };
    const picture = terminal(frame, inspect(await check(), { colors: true }));
    await expect(picture).toMatchFileSnapshot('../../docs/recipes/test-your-handler.svg');
  });

  it('each mistake', () => {
    for (const name of Object.keys(mistakes)) expect(page(PAGE)).toContain(`| \`${name}\` |`);
  });
});
