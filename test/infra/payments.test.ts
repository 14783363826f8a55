import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { ProcessorUnreachableError } from '../../infra/payments/processor.ts';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, verdictOf } from './requests.ts';
import { captureLog } from './support/log.ts';

const setUp = usePaymentsApi();

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const log = captureLog();

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
      etag: '"v1"',
      location: `/payments/${payment['id']}`,
    });
    expect(chargeKeys).toEqual([expect.stringMatching(UUID)]);
    expect(chargeKeys[0]).not.toBe(payment['id']);
  });

  it('authorizes only when capture is false', async () => {
    const { send } = setUp();
    const body = { ...PAYMENT, capture: false, description: 'Two tickets', metadata: { order: '4711' } };
    const response = await send({ key: randomUUID(), body });
    expect(response.statusCode).toBe(201);
    expect(bodyOf(response)).toMatchObject({
      status: 'authorized',
      description: 'Two tickets',
      metadata: body.metadata,
    });
  });

  it('charges once when the request is retried, and gives the retry the identical response, marked as a replay', async () => {
    const { send, chargeKeys, events } = setUp();
    const key = randomUUID();
    const first = await send({ key });
    const retry = await send({ key });
    expect(retry).toEqual({ ...first, headers: { ...first.headers, 'Idempotent-Replayed': 'true' } });
    expect(headerOf(first, 'idempotent-replayed')).toBeUndefined();
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
    expect(verdictOf(loser)).toBe('409 in-flight');
    const retryAfter = Number(headerOf(loser, 'retry-after'));
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
    expect(verdictOf(response)).toBe('422 key-reused');
    expect(bodyOf(response)['detail']).toContain('different request');
    expect(chargeKeys).toHaveLength(1);
  });

  it.each([
    [undefined, 'missing'],
    ['', 'invalid'],
    ['  ', 'invalid'],
    ['a,b', 'invalid'],
  ])('refuses the idempotency key %j: 400, and says where keys are explained', async (key, name) => {
    const { send, chargeKeys } = setUp();
    const response = await send(key === undefined ? {} : { key });
    expect(verdictOf(response)).toBe(`400 key-${name}`);
    expect(headerOf(response, 'link')).toBe('<https://payments.example/problems/idempotency>; rel="describedby"');
    expect(chargeKeys).toEqual([]);
  });

  it.each([
    ['body', '{"amount":1999'],
    ['amount', { ...PAYMENT, amount: 19.99 }],
  ])('refuses a wrong %s: 400, and the card is not charged', async (field, body) => {
    const { send, chargeKeys } = setUp();
    const response = await send({ key: randomUUID(), body });
    expect(verdictOf(response)).toBe('400 invalid-request');
    expect(bodyOf(response)).toMatchObject({ detail: expect.stringContaining(field), field });
    expect(chargeKeys).toEqual([]);
  });

  it('replays a declined card: 402, and the processor is not asked again', async () => {
    const { send, chargeKeys } = setUp();
    const key = randomUUID();
    const body = { ...PAYMENT, source: 'tok_declined' };
    const first = await send({ key, body });
    expect(verdictOf(first)).toBe('402 card-declined');
    const retry = await send({ key, body });
    expect(retry.body).toBe(first.body);
    expect(headerOf(retry, 'idempotent-replayed')).toBe('true');
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
    expect(verdictOf(first)).toBe('502 processor-unreachable');
    expect((await send({ key })).statusCode).toBe(201);
    expect(chargeKeys).toEqual([chargeKeys[0], chargeKeys[0]]);
    expect(events).toEqual(['claimed', 'released', 'takenOver', 'completed']);
    expect(log.errors()).toEqual([expect.stringContaining('connection reset')]);
  });

  it('makes no second charge and no second payment when an attempt dies between the two', async () => {
    const { payments } = setUp();
    const crashes = [new Error('the process died')];
    const inserted: string[] = [];
    const { send, chargeKeys } = setUp({
      payments: {
        insertion(payment) {
          inserted.push(payment.id);
          const crash = crashes.pop();
          if (crash !== undefined) throw crash;
          return payments.insertion(payment);
        },
      },
    });
    const key = randomUUID();
    expect((await send({ key })).statusCode).toBe(500);
    const retry = await send({ key });
    expect(retry.statusCode).toBe(201);
    expect(chargeKeys).toEqual([chargeKeys[0], chargeKeys[0]]);
    expect(inserted).toEqual([bodyOf(retry)['id'], bodyOf(retry)['id']]);
  });

  it('writes the payment and the response together, not the one without the other', async () => {
    const alone = vi.fn();
    const { send, payments } = setUp({ payments: { insert: alone } });
    const { id } = bodyOf(await send({ key: randomUUID() }));
    expect(await payments.find(String(id))).toMatchObject({ id });
    expect(alone).not.toHaveBeenCalled();
  });

  it('undoes nothing that has happened since, when an attempt died after both: the retry shows the payment of now', async () => {
    const { send, chargeKeys, forgetOutcome } = setUp();
    const key = randomUUID();
    const { id } = bodyOf(await send({ key }));
    await forgetOutcome();
    await send({ path: `/payments/${id}/refunds`, key: randomUUID(), body: { amount: 500 } });
    const retry = await send({ key });
    expect(retry.statusCode).toBe(201);
    expect(bodyOf(retry)).toMatchObject({ id, amountRefunded: 500 });
    expect(new Set(chargeKeys).size).toBe(1);
  });

  it('tells the client nothing about an unexpected error, and the log everything', async () => {
    const { send } = setUp({
      before: async () => {
        throw new Error('the secret of the processor', { cause: new Error('its cause') });
      },
    });
    const response = await send({ key: randomUUID() });
    expect(verdictOf(response)).toBe('500 internal-error');
    expect(response.body).not.toContain('secret');
    expect(log.errors()).toHaveLength(1);
    expect(JSON.parse(log.errors()[0] ?? '')).toMatchObject({
      level: 'error',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      error: { message: 'the secret of the processor', cause: { message: 'its cause' } },
    });
  });
});
