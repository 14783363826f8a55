import { expect, it } from 'vitest';
import { MAX_AMOUNT, parsePaymentRequest } from '../../infra/payments/payment-request.ts';
import { httpEvent, PAYMENT } from './requests.ts';
import { bodyViolations, requestSchema } from './support/openapi.ts';

const parse = (body: unknown) => parsePaymentRequest(httpEvent({ body }));

/** What openapi.json says of a body, where it can: of JSON, and of strings that are text. */
function declaredValid(body: unknown): boolean | undefined {
  try {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return text.includes('\\ud800') ? undefined : bodyViolations(requestSchema, JSON.parse(text)).length === 0;
  } catch {
    return undefined;
  }
}

const READ = { capture: undefined, metadata: {} };

it.each([
  PAYMENT,
  { ...PAYMENT, amount: 1 },
  { ...PAYMENT, amount: MAX_AMOUNT },
  { ...PAYMENT, source: `tok_${'x'.repeat(251)}` },
  { ...PAYMENT, capture: false },
  { ...PAYMENT, capture: true, description: '', metadata: { order: '4711', 'a.b-c_D': '' } },
  { ...PAYMENT, description: '😀'.repeat(500), metadata: { ['n'.repeat(40)]: 'x'.repeat(500) } },
])('takes %j', (body) => {
  expect(parse(body)).toEqual({ valid: true, value: { ...READ, ...body } });
  expect(declaredValid(body)).toBe(true);
});

it('takes only what it knows', () => {
  expect(parse({ ...PAYMENT, status: 'succeeded' })).toEqual({ valid: true, value: { ...READ, ...PAYMENT } });
});

it('reads a body that API Gateway has encoded', () => {
  const body = Buffer.from(JSON.stringify(PAYMENT)).toString('base64');
  expect(parsePaymentRequest(httpEvent({ body, isBase64Encoded: true }))).toEqual({
    valid: true,
    value: { ...READ, ...PAYMENT },
  });
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
  ['capture', { ...PAYMENT, capture: 'false' }],
  ['capture', { ...PAYMENT, capture: null }],
  ['description', { ...PAYMENT, description: 1 }],
  ['description', { ...PAYMENT, description: 'x'.repeat(501) }],
  ['description', '{"amount":1999,"currency":"EUR","source":"tok_visa","description":"\\ud800"}'],
  ['metadata', { ...PAYMENT, metadata: [] }],
  ['metadata', { ...PAYMENT, metadata: null }],
  ['metadata', { ...PAYMENT, metadata: { order: 4711 } }],
  ['metadata', { ...PAYMENT, metadata: { '': 'empty' } }],
  ['metadata', '{"amount":1999,"currency":"EUR","source":"tok_visa","metadata":{"__proto__":"x"}}'],
  ['metadata', { ...PAYMENT, metadata: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`n${i}`, ''])) }],
])('names the member %s as wrong in %j', (field, body) => {
  expect(parse(body)).toEqual({ valid: false, field, detail: expect.stringContaining(field) });
  expect(declaredValid(body)).not.toBe(true);
});
