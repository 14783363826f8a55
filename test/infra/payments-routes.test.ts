import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { usePaymentsApi } from './payments-api.ts';
import { headerOf, verdictOf } from './requests.ts';

const setUp = usePaymentsApi();

describe('GET /payments/{id}', () => {
  it('shows the payment that was made, byte for byte, with its entity tag and without an idempotency key', async () => {
    const { send, events } = setUp();
    const created = await send({ key: randomUUID() });
    const response = await send({ method: 'GET', path: String(created.headers?.['location']) });
    expect(response).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', etag: '"v1"' },
      body: created.body,
    });
    expect(events).toEqual(['claimed', 'completed']);
  });

  it.each(['"v1"', 'W/"v1"', '"v0", "v1"', '*'])('answers 304 without a body to If-None-Match: %s', async (tags) => {
    const { send } = setUp();
    const path = headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    const response = await send({ method: 'GET', path, headers: { 'if-none-match': tags } });
    expect(response).toEqual({ statusCode: 304, headers: { etag: '"v1"' } });
  });

  it('answers 200 with a new entity tag once the payment has changed', async () => {
    const { send } = setUp();
    const path = headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    await send({ path: `${path}/refunds`, key: randomUUID() });
    const response = await send({ method: 'GET', path, headers: { 'if-none-match': '"v1"' } });
    expect(response.statusCode).toBe(200);
    expect(headerOf(response, 'etag')).toBe('"v2"');
  });

  it('answers 404 for a payment that was never made', async () => {
    const { send } = setUp();
    const headers = { 'if-none-match': '*' };
    const response = await send({ method: 'GET', path: `/payments/${randomUUID()}`, headers });
    expect(verdictOf(response)).toBe('404 payment-not-found');
  });
});

describe('any other request', () => {
  it.each(['/', '/payments/', '/refunds', '/payments/1/2', `/payments/${randomUUID().toUpperCase()}`])(
    'is answered with 404: %s',
    async (path) => {
      const { send } = setUp();
      expect(verdictOf(await send({ path, key: randomUUID() }))).toBe('404 not-found');
    },
  );

  it.each([
    ['DELETE', '/payments', 'POST'],
    ['POST', `/payments/${randomUUID()}`, 'GET, PUT, PATCH, DELETE'],
    ['GET', `/payments/${randomUUID()}/refunds`, 'POST'],
  ])('is answered with 405 and what is allowed: %s %s', async (method, path, allow) => {
    const { send } = setUp();
    const response = await send({ method, path });
    expect(verdictOf(response)).toBe('405 method-not-allowed');
    expect(headerOf(response, 'allow')).toBe(allow);
  });
});
