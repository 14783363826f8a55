import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf } from './requests.ts';

const setUp = usePaymentsApi();

describe('GET /payments/{id}', () => {
  it('shows the payment that was made, without an idempotency key', async () => {
    const { send, events } = setUp();
    const created = await send({ key: randomUUID() });
    const response = await send({ method: 'GET', path: String(created.headers?.['location']) });
    expect(response).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json' },
      body: created.body,
    });
    expect(events).toEqual(['claimed', 'completed']);
  });

  it('answers 404 for a payment that was never made', async () => {
    const { send } = setUp();
    const response = await send({ method: 'GET', path: `/payments/${randomUUID()}` });
    expect(response.statusCode).toBe(404);
    expect(bodyOf(response)['error']).toBe('NOT_FOUND');
  });
});

describe('any other request', () => {
  it.each(['/', '/payments/', '/refunds', '/payments/1/2'])('is answered with 404: %s', async (path) => {
    const { send } = setUp();
    const response = await send({ path, key: randomUUID() });
    expect(response.statusCode).toBe(404);
    expect(bodyOf(response)['error']).toBe('NOT_FOUND');
  });

  it.each([
    ['DELETE', '/payments', 'POST'],
    ['POST', `/payments/${randomUUID()}`, 'GET'],
  ])('is answered with 405 and what is allowed: %s %s', async (method, path, allow) => {
    const { send } = setUp();
    const response = await send({ method, path });
    expect(response.statusCode).toBe(405);
    expect(response.headers).toMatchObject({ allow });
    expect(bodyOf(response)['error']).toBe('METHOD_NOT_ALLOWED');
  });
});
