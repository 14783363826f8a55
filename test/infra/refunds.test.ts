import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ProcessorUnreachableError } from '../../infra/payments/processor.ts';
import { MAX_REFUNDS } from '../../infra/payments/refund-decision.ts';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, type Send, verdictOf } from './requests.ts';
import { captureLog } from './support/log.ts';

const setUp = usePaymentsApi();

captureLog();

async function pay(send: Send, body: object = PAYMENT): Promise<string> {
  return headerOf(await send({ key: randomUUID(), body }), 'location') ?? '';
}

const show = async (send: Send, path: string) => bodyOf(await send({ method: 'GET', path }));

describe('POST /payments/{id}/refunds', () => {
  it('refunds a part: 201 with the refund, which the payment shows', async () => {
    const { send, keys, payments } = setUp();
    const path = await pay(send);
    const response = await send({ path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } });
    expect(response.statusCode).toBe(201);
    const refund = bodyOf(response);
    expect(refund).toMatchObject({ payment: path.slice('/payments/'.length), amount: 500, currency: 'EUR' });
    const { id, amount, createdAt } = refund;
    expect(await show(send, path)).toMatchObject({ amountRefunded: 500, refunds: [{ id, amount, createdAt }] });
    expect(keys.refund).toHaveLength(1);
    const stored = await payments.find(path.slice('/payments/'.length));
    expect(stored?.refunds).toMatchObject([{ id, amount, createdAt, paidOutAt: expect.any(String) }]);
  });

  it.each([
    ['no body', undefined],
    ['an empty object', {}],
  ])('refunds all that is left with %s', async (_, body) => {
    const { send } = setUp();
    const path = await pay(send);
    await send({ path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } });
    const response = await send({ path: `${path}/refunds`, key: randomUUID(), body });
    expect(bodyOf(response)['amount']).toBe(1499);
    expect((await show(send, path))['amountRefunded']).toBe(1999);
  });

  it('refunds once when the request is retried, and gives the retry identical bytes, marked as a replay', async () => {
    const { send, keys } = setUp();
    const path = await pay(send);
    const request = { path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } };
    const first = await send(request);
    const retry = await send(request);
    expect(retry).toEqual({ ...first, headers: { ...first.headers, 'Idempotent-Replayed': 'true' } });
    expect(headerOf(retry, 'idempotent-replayed')).toBe('true');
    expect((await show(send, path))['amountRefunded']).toBe(500);
    expect(keys.refund).toHaveLength(1);
  });

  it('refuses the key of a refund for another amount and for another payment: 422', async () => {
    const { send } = setUp();
    const [one, other] = [await pay(send), await pay(send)];
    const key = randomUUID();
    await send({ path: `${one}/refunds`, key, body: { amount: 500 } });
    expect(verdictOf(await send({ path: `${one}/refunds`, key, body: { amount: 501 } }))).toBe('422 key-reused');
    expect(verdictOf(await send({ path: `${other}/refunds`, key, body: { amount: 500 } }))).toBe('422 key-reused');
    expect((await show(send, other))['amountRefunded']).toBe(0);
  });

  it('never refunds more than was paid, with 20 refunds of different keys at once', async () => {
    const { send, keys } = setUp();
    const path = await pay(send);
    const refunds = Array.from({ length: 20 }, () =>
      send({ path: `${path}/refunds`, key: randomUUID(), body: { amount: 300 } }),
    );
    const verdicts = (await Promise.all(refunds)).map(verdictOf);
    expect(verdicts.filter((verdict) => verdict === '201')).toHaveLength(6);
    expect(verdicts.filter((verdict) => verdict === '409 refund-exceeds-payment')).toHaveLength(14);
    expect((await show(send, path))['amountRefunded']).toBe(1800);
    expect(keys.refund).toHaveLength(6);
  });

  it('gives all that is left back once, with partial and full refunds at once', async () => {
    const { send } = setUp();
    const path = await pay(send);
    const bodies = [{}, { amount: 400 }, {}, { amount: 700 }, {}, { amount: 100 }];
    const refunds = bodies.map((body) => send({ path: `${path}/refunds`, key: randomUUID(), body }));
    const made = (await Promise.all(refunds)).filter(({ statusCode }) => statusCode === 201);
    expect(made.reduce((sum, refund) => sum + Number(bodyOf(refund)['amount']), 0)).toBe(1999);
    expect((await show(send, path))['amountRefunded']).toBe(1999);
  });

  it('replays a refusal, too: 409 for more than is left', async () => {
    const { send } = setUp();
    const request = { path: `${await pay(send)}/refunds`, key: randomUUID(), body: { amount: 2000 } };
    const first = await send(request);
    expect(verdictOf(first)).toBe('409 refund-exceeds-payment');
    expect(await send(request)).toMatchObject({ body: first.body, headers: { 'Idempotent-Replayed': 'true' } });
  });

  it('refunds once when an attempt dies after the effect and before its outcome is stored', async () => {
    const { send, keys, forgetOutcome } = setUp();
    const path = await pay(send);
    const request = { path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } };
    const first = await send(request);
    await forgetOutcome();
    // Meanwhile somebody refunds the rest: there would be nothing left for a second effect.
    await send({ path: `${path}/refunds`, key: randomUUID() });
    const second = await send(request);
    expect(second).toEqual(first);
    expect((await show(send, path))['refunds']).toHaveLength(2);
    expect(keys.refund).toEqual([keys.refund[0], expect.anything()]);
  });

  it('records once when the same refund is recorded twice at once', async () => {
    const { send, payments } = setUp();
    const path = await pay(send);
    const id = path.slice('/payments/'.length);
    const order = { id: randomUUID(), amount: 500, requestDigest: 'digest' };
    const results = await Promise.all([payments.refund(id, order), payments.refund(id, order)]);
    expect(results.map(({ kind }) => kind)).toEqual(['recorded', 'recorded']);
    expect((await show(send, path))['amountRefunded']).toBe(500);
  });

  it('pays out once what was recorded, when the processor could not be reached: 502, then 201', async () => {
    const outages = [new ProcessorUnreachableError('connection reset')];
    const { send, keys } = setUp({
      before: async (call) => {
        const outage = call === 'refund' ? outages.pop() : undefined;
        if (outage !== undefined) throw outage;
      },
    });
    const path = await pay(send);
    const request = { path: `${path}/refunds`, key: randomUUID() };
    expect(verdictOf(await send(request))).toBe('502 processor-unreachable');
    expect((await send(request)).statusCode).toBe(201);
    expect(keys.refund).toEqual([keys.refund[0], keys.refund[0]]);
    expect((await show(send, path))['refunds']).toHaveLength(1);
  });

  it('stays noted as paid out when a PATCH has read the payment before the payout and writes after it', async () => {
    const [held, read, paidOut] = [1, 2, 3].map(() => Promise.withResolvers<void>());
    const { send: refundingSend, payments } = setUp({
      before: async (call) => {
        if (call !== 'refund') return;
        held?.resolve();
        await read?.promise;
      },
    });
    const { send: patchingSend } = setUp({
      payments: {
        async find(id) {
          const payment = await payments.find(id);
          read?.resolve();
          await paidOut?.promise;
          return payment;
        },
      },
    });
    const path = await pay(refundingSend);
    const refunding = refundingSend({ path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } });
    await held?.promise;
    const patch = { method: 'PATCH', path, body: { description: 'x' }, headers: { 'if-match': '"v2"' } };
    const patching = patchingSend(patch);
    expect((await refunding).statusCode).toBe(201);
    paidOut?.resolve();
    expect((await patching).statusCode).toBe(200);
    const stored = await payments.find(path.slice('/payments/'.length));
    expect(stored).toMatchObject({ description: 'x', refunds: [{ amount: 500, paidOutAt: expect.any(String) }] });
  });

  it('refuses what was not captured: 409', async () => {
    const { send } = setUp();
    const path = await pay(send, { ...PAYMENT, capture: false });
    const response = await send({ path: `${path}/refunds`, key: randomUUID() });
    expect(verdictOf(response)).toBe('409 payment-not-captured');
  });

  it(`refuses the refund after ${MAX_REFUNDS} of them: 409`, async () => {
    const { send, payments } = setUp();
    const path = await pay(send);
    const id = path.slice('/payments/'.length);
    const orders = Array.from({ length: MAX_REFUNDS }, () =>
      payments.refund(id, { id: randomUUID(), amount: 1, requestDigest: 'digest' }),
    );
    expect((await Promise.all(orders)).every(({ kind }) => kind === 'recorded')).toBe(true);
    const response = await send({ path: `${path}/refunds`, key: randomUUID() });
    expect(verdictOf(response)).toBe('409 too-many-refunds');
  });

  it('answers 404 for a payment that was never made', async () => {
    const { send } = setUp();
    const response = await send({ path: `/payments/${randomUUID()}/refunds`, key: randomUUID() });
    expect(verdictOf(response)).toBe('404 payment-not-found');
  });

  it('refuses a request without a key: 400', async () => {
    const { send } = setUp();
    expect(verdictOf(await send({ path: `${await pay(send)}/refunds` }))).toBe('400 key-missing');
  });

  it.each([
    ['amount', { amount: 0 }],
    ['amount', { amount: '500' }],
    ['amount', { amount: null }],
    ['body', '[]'],
    ['body', '{"amount":'],
  ])('refuses a wrong %s: 400 for %j', async (field, body) => {
    const { send } = setUp();
    const response = await send({ path: `${await pay(send)}/refunds`, key: randomUUID(), body });
    expect(verdictOf(response)).toBe('400 invalid-request');
    expect(bodyOf(response)['field']).toBe(field);
  });
});
