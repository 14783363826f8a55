import { expect, it } from 'vitest';
import { MAX_AMOUNT, parsePaymentRequest } from '../../infra/payments/payment-request.ts';
import { httpEvent, PAYMENT } from './requests.ts';

const parse = (body: unknown) => parsePaymentRequest(httpEvent({ body }));

it.each([
  PAYMENT,
  { ...PAYMENT, amount: 1 },
  { ...PAYMENT, amount: MAX_AMOUNT },
  { ...PAYMENT, source: `tok_${'x'.repeat(251)}` },
])('takes %j', (body) => {
  expect(parse(body)).toEqual({ valid: true, request: body });
});

it('takes only what it knows', () => {
  expect(parse({ ...PAYMENT, status: 'succeeded' })).toEqual({ valid: true, request: PAYMENT });
});

it('reads a body that API Gateway has encoded', () => {
  const body = Buffer.from(JSON.stringify(PAYMENT)).toString('base64');
  expect(parsePaymentRequest(httpEvent({ body, isBase64Encoded: true }))).toEqual({ valid: true, request: PAYMENT });
});

it.each([
  ['body', '{"amount":1999'],
  ['body', ''],
  ['body', 'null'],
  ['body', '[]'],
  ['body', '"tok_visa"'],
  ['amount', {}],
  ['amount', { ...PAYMENT, amount: 0 }],
  ['amount', { ...PAYMENT, amount: -1 }],
  ['amount', { ...PAYMENT, amount: 19.99 }],
  ['amount', { ...PAYMENT, amount: '1999' }],
  ['amount', { ...PAYMENT, amount: MAX_AMOUNT + 1 }],
  ['amount', '{"amount":1e400,"currency":"EUR","source":"tok_visa"}'],
  ['currency', { ...PAYMENT, currency: 'eur' }],
  ['currency', { ...PAYMENT, currency: 'EURO' }],
  ['currency', { ...PAYMENT, currency: 'EUR\n' }],
  ['currency', { ...PAYMENT, currency: undefined }],
  ['source', { ...PAYMENT, source: '' }],
  ['source', { ...PAYMENT, source: 'tok_' }],
  ['source', { ...PAYMENT, source: '4242424242424242' }],
  ['source', { ...PAYMENT, source: `tok_${'x'.repeat(252)}` }],
  ['source', { ...PAYMENT, source: ['tok_visa'] }],
])('names the member %s as wrong in %j', (field, body) => {
  expect(parse(body)).toEqual({ valid: false, field, message: expect.stringContaining(field) });
});
