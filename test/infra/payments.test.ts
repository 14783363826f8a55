import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProcessorUnreachableError } from '../../infra/payments/processor.ts';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, PAYMENT } from './requests.ts';

const setUp = usePaymentsApi();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let errors: string[];

beforeEach(() => {
  errors = [];
  vi.spyOn(console, 'error').mockImplementation((line: string) => errors.push(line));
});
afterEach(() => vi.restoreAllMocks());

describe('POST /payments', () => {
  it('charges the card and answers 201 with the payment and where to find it', async () => {
    const { send, chargeKeys } = setUp();
    const response = await send({ key: randomUUID() });
    const payment = bodyOf(response);
    expect(response.statusCode).toBe(201);
    expect(payment).toMatchObject({ amount: 1999, currency: 'EUR', status: 'succeeded' });
    expect(payment['id']).toMatch(UUID);
    expect(response.headers).toEqual({
      'content-type': 'application/json',
      location: `/payments/${payment['id']}`,
    });
    expect(chargeKeys).toEqual([expect.stringMatching(UUID)]);
    expect(chargeKeys[0]).not.toBe(payment['id']);
  });

  it('charges once when the request is retried, and gives the retry the identical response', async () => {
    const { send, chargeKeys, events } = setUp();
    const key = randomUUID();
    const first = await send({ key });
    const retry = await send({ key });
    expect(retry).toEqual(first);
    expect(chargeKeys).toHaveLength(1);
    expect(events).toEqual(['claimed', 'completed', 'replayed']);
  });

  it('charges once when two requests with the same key arrive at once, and tells the other one when to retry', async () => {
    const gate = Promise.withResolvers<void>();
    const { send, chargeKeys } = setUp({ before: () => gate.promise });
    const key = randomUUID();
    const requests = [send({ key }), send({ key })];
    const loser = await Promise.race(requests);
    gate.resolve();
    const statusCodes = (await Promise.all(requests)).map(({ statusCode }) => statusCode);

    expect(statusCodes.toSorted()).toEqual([201, 409]);
    expect(chargeKeys).toHaveLength(1);
    expect(loser.statusCode).toBe(409);
    expect(bodyOf(loser)['error']).toBe('IN_FLIGHT');
    const retryAfter = Number(loser.headers?.['retry-after']);
    expect(Number.isInteger(retryAfter)).toBe(true);
    expect(retryAfter).toBeGreaterThan(0);
    expect(retryAfter).toBeLessThanOrEqual(11);
  });

  it('charges each of two requests that have different keys', async () => {
    const { send, chargeKeys } = setUp();
    const [one, other] = await Promise.all([send({ key: randomUUID() }), send({ key: randomUUID() })]);
    expect(new Set(chargeKeys).size).toBe(2);
    expect(bodyOf(one)['id']).not.toBe(bodyOf(other)['id']);
  });

  it('refuses a key that comes again with another amount: 422', async () => {
    const { send, chargeKeys } = setUp();
    const key = randomUUID();
    await send({ key });
    const response = await send({ key, body: { ...PAYMENT, amount: 500 } });
    expect(response.statusCode).toBe(422);
    expect(response.headers).toEqual({ 'content-type': 'application/json' });
    expect(bodyOf(response)).toEqual({ error: 'KEY_REUSED', message: expect.stringContaining('different request') });
    expect(chargeKeys).toHaveLength(1);
  });

  it.each([undefined, '', '  '])('refuses the idempotency key %j: 400', async (key) => {
    const { send, chargeKeys } = setUp();
    const response = await send(key === undefined ? {} : { key });
    expect(response.statusCode).toBe(400);
    expect(response.headers).toEqual({ 'content-type': 'application/json' });
    expect(bodyOf(response)['error']).toBe('KEY_MISSING');
    expect(chargeKeys).toEqual([]);
  });

  it.each([
    ['body', '{"amount":1999'],
    ['amount', { ...PAYMENT, amount: 19.99 }],
  ])('refuses a wrong %s: 400, and the card is not charged', async (field, body) => {
    const { send, chargeKeys } = setUp();
    const response = await send({ key: randomUUID(), body });
    expect(response.statusCode).toBe(400);
    expect(response.headers).toEqual({ 'content-type': 'application/json' });
    expect(bodyOf(response)).toEqual({ error: 'INVALID_REQUEST', message: expect.stringContaining(field), field });
    expect(chargeKeys).toEqual([]);
  });

  it('replays a declined card: 402, and the processor is not asked again', async () => {
    const { send, chargeKeys } = setUp();
    const key = randomUUID();
    const body = { ...PAYMENT, source: 'tok_declined' };
    const first = await send({ key, body });
    expect(first.statusCode).toBe(402);
    expect(bodyOf(first)['error']).toBe('CARD_DECLINED');
    expect(await send({ key, body })).toEqual(first);
    expect(chargeKeys).toHaveLength(1);
  });

  it('lets a retry execute after the processor could not be reached: 502, then 201 with the same charge key', async () => {
    const outages = [new ProcessorUnreachableError('connection reset')];
    const { send, chargeKeys, events } = setUp({
      before: async () => {
        const outage = outages.pop();
        if (outage !== undefined) throw outage;
      },
    });
    const key = randomUUID();
    const first = await send({ key });
    expect(first.statusCode).toBe(502);
    expect(bodyOf(first)['error']).toBe('PROCESSOR_UNREACHABLE');
    expect((await send({ key })).statusCode).toBe(201);
    expect(chargeKeys).toEqual([chargeKeys[0], chargeKeys[0]]);
    expect(events).toEqual(['claimed', 'released', 'takenOver', 'completed']);
    expect(errors).toEqual([expect.stringContaining('connection reset')]);
  });

  it('makes no second charge and no second payment when an attempt dies between the two', async () => {
    const { payments } = setUp();
    const crashes = [new Error('the process died')];
    const saved: string[] = [];
    const { send, chargeKeys } = setUp({
      async save(payment) {
        saved.push(payment.id);
        const crash = crashes.pop();
        if (crash !== undefined) throw crash;
        await payments.save(payment);
      },
    });
    const key = randomUUID();
    expect((await send({ key })).statusCode).toBe(500);
    const retry = await send({ key });
    expect(retry.statusCode).toBe(201);
    expect(chargeKeys).toEqual([chargeKeys[0], chargeKeys[0]]);
    expect(saved).toEqual([bodyOf(retry)['id'], bodyOf(retry)['id']]);
  });

  it('tells the client nothing about an unexpected error, and the log everything', async () => {
    const { send } = setUp({
      before: async () => {
        throw new Error('the secret of the processor', { cause: new Error('its cause') });
      },
    });
    const response = await send({ key: randomUUID() });
    expect(response.statusCode).toBe(500);
    expect(bodyOf(response)['error']).toBe('INTERNAL_ERROR');
    expect(response.body).not.toContain('secret');
    expect(errors).toHaveLength(1);
    expect(JSON.parse(errors[0] ?? '')).toMatchObject({
      level: 'error',
      requestId: 'request-id',
      error: { message: 'the secret of the processor', cause: { message: 'its cause' } },
    });
  });
});
