import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ProcessorUnreachableError } from '../../infra/payments/processor.ts';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, type Send, verdictOf } from './requests.ts';
import { captureLog } from './support/log.ts';

const setUp = usePaymentsApi();

captureLog();

async function authorized(send: Send) {
  const path = headerOf(await send({ key: randomUUID(), body: { ...PAYMENT, capture: false } }), 'location') ?? '';
  return { method: 'DELETE', path };
}

describe('DELETE /payments/{id}', () => {
  it('voids an authorized payment: 204 without a body, and it can still be read', async () => {
    const { send } = setUp();
    const request = await authorized(send);
    expect(await send(request)).toEqual({ statusCode: 204 });
    const payment = await send({ method: 'GET', path: request.path });
    expect(bodyOf(payment)['status']).toBe('voided');
    expect(headerOf(payment, 'etag')).toBe('"v3"');
  });

  it('answers a repetition with 204, whatever entity tag it comes with', async () => {
    const { send, keys } = setUp();
    const request = { ...(await authorized(send)), headers: { 'if-match': '"v1"' } };
    expect((await send(request)).statusCode).toBe(204);
    expect((await send(request)).statusCode).toBe(204);
    expect(keys.release).toHaveLength(1);
  });

  it('answers all of several at once with 204', async () => {
    const { send, keys } = setUp();
    const request = await authorized(send);
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(request)));
    expect(answers.map(verdictOf)).toEqual(['204', '204', '204', '204']);
    expect(new Set(keys.release).size).toBe(1);
  });

  it('marks a replay, when there is a key', async () => {
    const { send } = setUp();
    const request = { ...(await authorized(send)), key: randomUUID() };
    expect(headerOf(await send(request), 'idempotent-replayed')).toBeUndefined();
    const retry = await send(request);
    expect(retry.statusCode).toBe(204);
    expect(headerOf(retry, 'idempotent-replayed')).toBe('true');
  });

  it('answers 404 for a payment that was never made, and 409 for one that was captured', async () => {
    const { send } = setUp();
    const unknown = { method: 'DELETE', path: `/payments/${randomUUID()}` };
    expect(verdictOf(await send(unknown))).toBe('404 payment-not-found');
    const path = headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    expect(verdictOf(await send({ method: 'DELETE', path }))).toBe('409 payment-not-authorized');
  });

  it('evaluates If-Match when it comes: 412 when stale', async () => {
    const { send } = setUp();
    const request = { ...(await authorized(send)), headers: { 'if-match': '"v0"' } };
    expect(verdictOf(await send(request))).toBe('412 precondition-failed');
  });

  it('refuses a malformed key, although none is required: 400', async () => {
    const { send } = setUp();
    expect(verdictOf(await send({ ...(await authorized(send)), key: 'a,b' }))).toBe('400 key-invalid');
  });

  it('lets a retry void after the processor could not be reached: 502, then 204 with the same key there', async () => {
    const outages = [new ProcessorUnreachableError('connection reset')];
    const { send, keys } = setUp({
      before: async (call) => {
        const outage = call === 'release' ? outages.pop() : undefined;
        if (outage !== undefined) throw outage;
      },
    });
    const request = await authorized(send);
    expect(verdictOf(await send(request))).toBe('502 processor-unreachable');
    expect((await send(request)).statusCode).toBe(204);
    expect(keys.release).toEqual([keys.release[0], keys.release[0]]);
  });

  it.each(['PATCH', 'PUT'])(
    'lets one of DELETE and %s with the same entity tag through, while the processor works',
    async (method) => {
      const [held, written] = [1, 2].map(() => Promise.withResolvers<void>());
      const { send } = setUp({
        before: async (call) => {
          if (call !== 'release') return;
          held?.resolve();
          await written?.promise;
        },
      });
      const request = { ...(await authorized(send)), headers: { 'if-match': '"v1"' } };
      const voiding = send(request);
      await held?.promise;
      const body = method === 'PUT' ? { ...PAYMENT, description: 'x' } : { description: 'x' };
      expect(verdictOf(await send({ ...request, method, body }))).toBe('412 precondition-failed');
      written?.resolve();
      expect(verdictOf(await voiding)).toBe('204');
      const payment = bodyOf(await send({ method: 'GET', path: request.path }));
      expect(payment).toMatchObject({ status: 'voided' });
      expect(payment).not.toHaveProperty('description');
    },
  );

  it('is refused when another one writes after it has read the payment: 412, and nothing is released', async () => {
    const { send: prepare, payments } = setUp();
    const { send, keys } = setUp({
      payments: {
        async find(id) {
          const payment = await payments.find(id);
          if (payment?.version === 1) await payments.replaceNotes(payment, { metadata: {} }, 'another');
          return payment;
        },
      },
    });
    const request = { ...(await authorized(prepare)), headers: { 'if-match': '"v1"' } };
    expect(verdictOf(await send(request))).toBe('412 precondition-failed');
    expect(keys.release).toEqual([]);
    expect(verdictOf(await send({ ...request, headers: {} }))).toBe('204');
  });

  it('is begun for good when the processor could not be reached: no replacement, no refund, and a retry ends it', async () => {
    let isReachable = false;
    const { send } = setUp({
      before: async (call) => {
        if (call === 'release' && !isReachable) throw new ProcessorUnreachableError('connection reset');
      },
    });
    const request = { ...(await authorized(send)), headers: { 'if-match': '"v1"' } };
    expect(verdictOf(await send(request))).toBe('502 processor-unreachable');
    expect(bodyOf(await send({ method: 'GET', path: request.path }))['status']).toBe('voiding');
    const put = { ...request, method: 'PUT', body: PAYMENT, headers: { 'if-match': '"v2"' } };
    expect(verdictOf(await send(put))).toBe('409 payment-not-authorized');
    const refund = { path: `${request.path}/refunds`, key: randomUUID() };
    expect(verdictOf(await send(refund))).toBe('409 payment-not-captured');
    isReachable = true;
    expect(verdictOf(await send(request))).toBe('204');
    expect(bodyOf(await send({ method: 'GET', path: request.path }))['status']).toBe('voided');
  });

  it('lets descriptions be changed afterwards, and refuses a replacement: 409', async () => {
    const { send } = setUp();
    const request = await authorized(send);
    await send(request);
    const patch = { ...request, method: 'PATCH', body: { description: 'x' }, headers: { 'if-match': '"v3"' } };
    expect((await send(patch)).statusCode).toBe(200);
    const put = { ...request, method: 'PUT', body: PAYMENT, headers: { 'if-match': '"v4"' } };
    expect(verdictOf(await send(put))).toBe('409 payment-not-authorized');
  });
});
