import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readTogether, usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, type Send, verdictOf } from './requests.ts';
import { captureLog } from './support/log.ts';

const setUp = usePaymentsApi();

captureLog();

const CREATE = { 'if-none-match': '*' };
const V1 = { 'if-match': '"v1"' };

function own() {
  return { method: 'PUT', path: `/payments/${randomUUID()}`, body: PAYMENT } as const;
}

async function created(send: Send) {
  const put = own();
  await send({ ...put, headers: CREATE });
  return put;
}

describe('PUT /payments/{id} with If-None-Match: *', () => {
  it('authorizes a payment under the id that the client chose: 201', async () => {
    const { send, chargeKeys } = setUp();
    const put = own();
    const response = await send({ ...put, headers: CREATE });
    expect(response.statusCode).toBe(201);
    expect(response.headers).toEqual({ 'content-type': 'application/json', etag: '"v1"', location: put.path });
    expect(bodyOf(response)).toMatchObject({ ...PAYMENT, id: put.path.slice(10), status: 'authorized' });
    expect(chargeKeys).toEqual([`put-payment-${put.path.slice(10)}`]);
  });

  it('answers a repetition without a key with 412, and charges nothing', async () => {
    const { send, chargeKeys } = setUp();
    const put = await created(send);
    expect(verdictOf(await send({ ...put, headers: CREATE }))).toBe('412 precondition-failed');
    expect(chargeKeys).toHaveLength(1);
  });

  it('gives a repetition with a key its 201 again: the replay comes before the precondition', async () => {
    const { send } = setUp();
    const request = { ...own(), headers: CREATE, key: randomUUID() };
    const first = await send(request);
    const retry = await send(request);
    expect(retry).toEqual({ ...first, headers: { ...first.headers, 'Idempotent-Replayed': 'true' } });
  });

  it('makes one payment of several at once: one 201, and 412 for the others', async () => {
    const { payments } = setUp();
    const { send, chargeKeys } = setUp({ payments: { find: readTogether(payments.find, 3) } });
    const put = own();
    const answers = await Promise.all([1, 2, 3].map(() => send({ ...put, headers: CREATE })));
    expect(answers.map(verdictOf).toSorted()).toEqual(['201', '412 precondition-failed', '412 precondition-failed']);
    expect(chargeKeys).toEqual(Array.from({ length: 3 }, () => chargeKeys[0]));
  });

  it('recognises its own payment after an attempt that died before its outcome was stored: 201', async () => {
    const { send, chargeKeys, forgetOutcome } = setUp();
    const request = { ...own(), headers: CREATE, key: randomUUID() };
    const first = await send(request);
    await forgetOutcome();
    expect(await send(request)).toEqual(first);
    expect(chargeKeys).toHaveLength(1);
  });

  it('keeps an id for one charge: 409 when it comes with another amount before the payment was stored', async () => {
    const gate = Promise.withResolvers<void>();
    const { send } = setUp({ payments: { insert: () => gate.promise.then(() => Promise.reject(new Error('died'))) } });
    const put = own();
    const dying = send({ ...put, headers: CREATE });
    const other = send({ ...put, headers: CREATE, body: { ...PAYMENT, amount: 500 } });
    expect(['409 payment-id-used', '500 internal-error']).toContain(verdictOf(await Promise.race([dying, other])));
    gate.resolve();
    expect((await Promise.all([dying, other])).map(verdictOf).toSorted()).toEqual([
      '409 payment-id-used',
      '500 internal-error',
    ]);
  });

  it('answers 402 for a declined card (another one needs another id: 409), and 400 for a wrong body or a capture', async () => {
    const { send } = setUp();
    const declined = { ...PAYMENT, source: 'tok_declined' };
    const put = own();
    expect(verdictOf(await send({ ...put, headers: CREATE, body: declined }))).toBe('402 card-declined');
    expect(verdictOf(await send({ ...put, headers: CREATE }))).toBe('409 payment-id-used');
    const wrong = await send({ ...own(), headers: CREATE, body: { ...PAYMENT, currency: 'euro' } });
    expect(bodyOf(wrong)['field']).toBe('currency');
    const capture = await send({ ...own(), headers: CREATE, body: { ...PAYMENT, capture: true } });
    expect(bodyOf(capture)['field']).toBe('capture');
  });

  it('never takes an id that POST derives from a key, so that nobody can take it in advance: 400', async () => {
    const derived: string[] = [];
    const { payments } = setUp();
    const { send, chargeKeys } = setUp({
      payments: {
        insertion(payment) {
          derived.push(payment.id);
          if (derived.length === 1) throw new Error('the process died');
          return payments.insertion(payment);
        },
      },
    });
    const key = randomUUID();
    expect(verdictOf(await send({ key }))).toBe('500 internal-error');
    const path = `/payments/${derived[0]}`;
    const refused = await send({ method: 'PUT', path, body: PAYMENT, headers: CREATE });
    expect(verdictOf(refused)).toBe('400 invalid-request');
    expect(bodyOf(refused)).toMatchObject({ field: 'id', detail: expect.stringContaining('version 8') });
    expect(chargeKeys).toHaveLength(1);
    expect(bodyOf(await send({ key }))['id']).toBe(derived[0]);
    // What is there already is for its preconditions to judge.
    expect(verdictOf(await send({ method: 'PUT', path, body: PAYMENT, headers: CREATE }))).toBe(
      '412 precondition-failed',
    );
  });

  it('never makes a voided payment again: 412', async () => {
    const { send } = setUp();
    const put = await created(send);
    await send({ method: 'DELETE', path: put.path });
    expect(verdictOf(await send({ ...put, headers: CREATE }))).toBe('412 precondition-failed');
  });
});

describe('PUT /payments/{id} with If-Match', () => {
  it('replaces what describes the payment: 200 with a new entity tag', async () => {
    const { send } = setUp();
    const put = await created(send);
    const body = { ...PAYMENT, description: 'Two tickets', metadata: { order: '4711' } };
    const response = await send({ ...put, headers: V1, body });
    expect(response.statusCode).toBe(200);
    expect(headerOf(response, 'etag')).toBe('"v2"');
    expect(bodyOf(response)).toMatchObject(body);
    const removed = await send({ ...put, headers: { 'if-match': '"v2"' } });
    expect(bodyOf(removed)).not.toHaveProperty('description');
    expect(bodyOf(removed)['metadata']).toEqual({});
  });

  it.each(['"v0"', 'W/"v1"', 'v1', '""'])('refuses the entity tag %s: 412', async (tag) => {
    const { send } = setUp();
    const put = await created(send);
    expect(verdictOf(await send({ ...put, headers: { 'if-match': tag } }))).toBe('412 precondition-failed');
  });

  it('lets one of two writers with the same entity tag through: one 200, one 412', async () => {
    const { send: prepare, payments } = setUp();
    const { send } = setUp({ payments: { find: readTogether(payments.find, 2) } });
    const put = await created(prepare);
    const writers = ['a', 'b'].map((description) => send({ ...put, headers: V1, body: { ...PAYMENT, description } }));
    expect((await Promise.all(writers)).map(verdictOf).toSorted()).toEqual(['200', '412 precondition-failed']);
  });

  it('creates nothing: 412 when there is no such payment', async () => {
    const { send, chargeKeys } = setUp();
    for (const tag of ['*', '"v1"']) {
      expect(verdictOf(await send({ ...own(), headers: { 'if-match': tag } }))).toBe('412 precondition-failed');
    }
    expect(chargeKeys).toEqual([]);
  });

  it.each(['amount', 'currency', 'source'] as const)('refuses another %s: 409', async (field) => {
    const { send } = setUp();
    const put = await created(send);
    const other = { amount: 500, currency: 'USD', source: 'tok_other' };
    const response = await send({ ...put, headers: V1, body: { ...PAYMENT, [field]: other[field] } });
    expect(verdictOf(response)).toBe('409 member-not-replaceable');
    expect(bodyOf(response)['field']).toBe(field);
  });

  it('replaces only authorized payments: 409 for a captured one', async () => {
    const { send } = setUp();
    const path = headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    expect(verdictOf(await send({ method: 'PUT', path, body: PAYMENT, headers: V1 }))).toBe(
      '409 payment-not-authorized',
    );
  });

  it('recognises its own write after an attempt that died before its outcome was stored: 200', async () => {
    const { send, forgetOutcome } = setUp();
    const put = await created(send);
    const request = { ...put, headers: V1, body: { ...PAYMENT, description: 'mine' }, key: randomUUID() };
    const first = await send(request);
    await forgetOutcome();
    expect(await send(request)).toEqual(first);
    expect(headerOf(first, 'etag')).toBe('"v2"');
  });
});

describe('PUT /payments/{id} without a guard', () => {
  it('is refused with 428, for a payment that is there and for one that is not', async () => {
    const { send, chargeKeys } = setUp();
    expect(verdictOf(await send(own()))).toBe('428 precondition-required');
    expect(verdictOf(await send({ ...own(), headers: { 'if-none-match': '"v1"' } }))).toBe('428 precondition-required');
    expect(chargeKeys).toEqual([]);
    const put = await created(send);
    expect(verdictOf(await send(put))).toBe('428 precondition-required');
  });

  it('may be sent again with the guard and the same key: a refused precondition is not replayed', async () => {
    const { send } = setUp();
    const request = { ...own(), key: randomUUID() };
    expect(verdictOf(await send(request))).toBe('428 precondition-required');
    expect((await send({ ...request, headers: CREATE })).statusCode).toBe(201);
  });
});
