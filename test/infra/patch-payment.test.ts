import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readTogether, usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, type Send, type TestRequest, verdictOf } from './requests.ts';

const setUp = usePaymentsApi();

/** Patches what `pay` has made. */
async function paid(send: Send, pay: Send = send) {
  const body = { ...PAYMENT, description: 'Two tickets', metadata: { order: '4711', note: 'x' } };
  const path = headerOf(await pay({ key: randomUUID(), body }), 'location') ?? '';
  return (patch: unknown, tag: string | undefined, more: TestRequest = {}) =>
    send({
      method: 'PATCH',
      path,
      body: patch,
      ...more,
      headers: { ...(tag !== undefined && { 'if-match': tag }), ...more.headers },
    });
}

describe('PATCH /payments/{id}', () => {
  it('merges into what describes the payment: 200 with a new entity tag', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    const response = await patch({ metadata: { note: null, seat: '12' } }, '"v1"');
    expect(response.statusCode).toBe(200);
    expect(headerOf(response, 'etag')).toBe('"v2"');
    expect(bodyOf(response)).toMatchObject({ description: 'Two tickets', amount: 1999 });
    expect(bodyOf(response)['metadata']).toEqual({ order: '4711', seat: '12' });
    const removed = bodyOf(await patch({ description: null, metadata: null }, '"v2"'));
    expect(removed).not.toHaveProperty('description');
    expect(removed['metadata']).toEqual({});
  });

  it('takes application/merge-patch+json, which API Gateway hands on in base64', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    const body = Buffer.from('{"description":"Drei Stück"}').toString('base64');
    const headers = { 'content-type': 'application/merge-patch+json; charset=utf-8' };
    const response = await patch(body, '"v1"', { headers, isBase64Encoded: true });
    expect(bodyOf(response)['description']).toBe('Drei Stück');
  });

  it('refuses another media type: 415 and what is taken', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    const response = await patch('[]', '"v1"', { headers: { 'content-type': 'application/json-patch+json' } });
    expect(verdictOf(response)).toBe('415 unsupported-media-type');
    expect(headerOf(response, 'accept-patch')).toBe('application/merge-patch+json, application/json');
  });

  it('requires If-Match: 428', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    expect(verdictOf(await patch({}, undefined))).toBe('428 precondition-required');
  });

  it('refuses a stale entity tag: 412, and nothing is changed', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    await patch({ description: 'first' }, '"v1"');
    expect(verdictOf(await patch({ description: 'second' }, '"v1"'))).toBe('412 precondition-failed');
    expect(bodyOf(await patch({}, '"v2"'))['description']).toBe('first');
  });

  it('takes any of several entity tags, and * for whatever is there', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    expect((await patch({}, '"v0", "v1"')).statusCode).toBe(200);
    expect((await patch({}, '*')).statusCode).toBe(200);
  });

  it('lets one of two writers with the same entity tag through: one 200, one 412', async () => {
    const { send: pay, payments } = setUp();
    const { send } = setUp({ payments: { find: readTogether(payments.find, 2) } });
    const patch = await paid(send, pay);
    const writers = [patch({ metadata: { a: '1' } }, '"v1"'), patch({ metadata: { b: '1' } }, '"v1"')];
    expect((await Promise.all(writers)).map(verdictOf).toSorted()).toEqual(['200', '412 precondition-failed']);
  });

  it('does not undo a refund that is made after it has read the payment: 412', async () => {
    const { payments } = setUp();
    const { send } = setUp({
      payments: {
        async find(id) {
          const payment = await payments.find(id);
          await payments.refund(id, { id: randomUUID(), amount: 500, requestDigest: 'digest' });
          return payment;
        },
      },
    });
    const patch = await paid(send);
    const response = await patch({ description: 'x' }, '"v1"');
    expect(verdictOf(response)).toBe('412 precondition-failed');
    expect(bodyOf(await patch({ description: 'y' }, '"v1"'))['type']).toContain('precondition-failed');
  });

  it('gives a retry with a key its 200 again, although its entity tag is stale by then', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    const key = randomUUID();
    const first = await patch({ description: 'mine' }, '"v1"', { key });
    const retry = await patch({ description: 'mine' }, '"v1"', { key });
    expect(retry).toEqual({ ...first, headers: { ...first.headers, 'Idempotent-Replayed': 'true' } });
  });

  it('recognises its own write after an attempt that died before its outcome was stored: 200', async () => {
    const { send, forgetOutcome } = setUp();
    const patch = await paid(send);
    const key = randomUUID();
    const first = await patch({ description: 'mine' }, '"v1"', { key });
    await forgetOutcome();
    expect(await patch({ description: 'mine' }, '"v1"', { key })).toEqual(first);
  });

  it('does not replay a stale precondition: the same key may come with the entity tag of now', async () => {
    const { send } = setUp();
    const patch = await paid(send);
    const key = randomUUID();
    expect(verdictOf(await patch({ description: 'mine' }, '"v0"', { key }))).toBe('412 precondition-failed');
    expect((await patch({ description: 'mine' }, '"v1"', { key })).statusCode).toBe(200);
  });

  it.each([
    ['amount', { amount: 1 }],
    ['status', { status: 'voided' }],
    ['description', { description: 1 }],
    ['metadata', { metadata: { order: 1 } }],
    ['metadata', { metadata: 'none' }],
    ['body', '[]'],
    ['body', '{'],
  ])('refuses a patch of %s: 400 for %j', async (field, body) => {
    const { send } = setUp();
    const patch = await paid(send);
    const response = await patch(body, '"v1"');
    expect(verdictOf(response)).toBe('400 invalid-request');
    expect(bodyOf(response)['field']).toBe(field);
  });

  it('answers 404 for a payment that was never made', async () => {
    const { send } = setUp();
    const request = { method: 'PATCH', path: `/payments/${randomUUID()}`, body: {}, headers: { 'if-match': '*' } };
    expect(verdictOf(await send(request))).toBe('404 payment-not-found');
  });
});
