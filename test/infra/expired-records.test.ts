import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, type TestRequest, verdictOf } from './requests.ts';
import { captureLog } from './support/log.ts';

const setUp = usePaymentsApi();

captureLog();

/** A request, its record's end, and the processor's forgetting: both have been there for longer than anybody remembers. */
async function longAgo(prepare: (path: string) => TestRequest, body: object = PAYMENT) {
  const api = setUp();
  const path = headerOf(await api.send({ key: randomUUID(), body }), 'location') ?? '';
  const request = { ...prepare(path), key: randomUUID() };
  const first = await api.send(request);
  await api.expireRecord();
  api.forgetKeys();
  const asked = { charges: api.keys.charge.length, refunds: api.keys.refund.length };
  const shown = async () => bodyOf(await api.send({ method: 'GET', path }));
  return { ...api, path, request, first, asked, shown };
}

describe('a request that comes again when its record has expired and the processor knows its key no longer', () => {
  it('charges nothing: POST /payments answers with the payment that it has made', async () => {
    const { send, keys, request, first, asked } = await longAgo(() => ({
      body: { ...PAYMENT, metadata: { a: '1', b: '2' } },
    }));
    expect(first.statusCode).toBe(201);
    expect(await send({ ...request, body: { metadata: { b: '2', a: '1' }, ...PAYMENT } })).toEqual(first);
    expect(keys.charge).toHaveLength(asked.charges);
  });

  it.each([
    ['amount', { amount: 500 }],
    ['source', { source: 'tok_other' }],
    ['capture', { capture: false }],
    ['description', { description: 'x' }],
    ['metadata', { metadata: { order: '4711' } }],
  ])('is refused and charges nothing when it is another POST /payments, with another %s: 422', async (_, other) => {
    const { send, keys, request, asked } = await longAgo(() => ({ body: PAYMENT }));
    const answer = await send({ ...request, body: { ...PAYMENT, ...other } });
    expect(verdictOf(answer)).toBe('422 key-reused');
    expect(keys.charge).toHaveLength(asked.charges);
  });

  it('is told what a reused key is told before, in the same words', async () => {
    const { send, request } = await longAgo(() => ({ body: PAYMENT }));
    const late = await send({ ...request, body: { ...PAYMENT, amount: 500 } });
    const early = await send({ ...request, body: { ...PAYMENT, amount: 501 } });
    expect(headerOf(early, 'idempotent-replayed')).toBeUndefined();
    expect({ ...bodyOf(late), instance: bodyOf(early)['instance'] }).toEqual(bodyOf(early));
  });

  it('pays nothing out again: POST /refunds answers with the refund that it has made', async () => {
    const { send, keys, request, first, asked, shown } = await longAgo((path) => ({
      path: `${path}/refunds`,
      body: { amount: 500 },
    }));
    expect(first.statusCode).toBe(201);
    expect(await send(request)).toEqual(first);
    expect(keys.refund).toHaveLength(asked.refunds);
    expect((await shown())['amountRefunded']).toBe(500);
  });

  it.each([
    ['500', '501', { amount: 500 }, { amount: 501 }],
    ['500', 'all that is left', { amount: 500 }, {}],
    ['all that is left', '1999', {}, { amount: 1999 }],
  ])(
    'is refused and pays nothing out when it is another refund, of %s then and of %s now: 422',
    async (_, __, then, now) => {
      const { send, keys, request, asked, shown } = await longAgo((path) => ({ path: `${path}/refunds`, body: then }));
      const before = await shown();
      expect(verdictOf(await send({ ...request, body: now }))).toBe('422 key-reused');
      expect(keys.refund).toHaveLength(asked.refunds);
      expect(await shown()).toEqual(before);
    },
  );

  it.each(['PATCH', 'PUT'])('is not taken for the %s of before when its body is another one', async (method) => {
    const authorized = { ...PAYMENT, capture: false };
    const bodyWith = (description: string) => (method === 'PUT' ? { ...PAYMENT, description } : { description });
    const { send, request, first, expireRecord, shown } = await longAgo(
      (path) => ({ method, path, body: bodyWith('old'), headers: { 'if-match': '"v1"' } }),
      authorized,
    );
    expect(first.statusCode).toBe(200);
    expect(await send(request)).toEqual(first);
    await expireRecord();
    const other = { ...request, body: bodyWith('new') };
    expect(verdictOf(await send(other))).toBe('412 precondition-failed');
    expect(verdictOf(await send({ ...other, headers: { 'if-match': '"v2"' } }))).toBe('200');
    expect((await shown())['description']).toBe('new');
  });
});

describe('a key that comes again for another payment, when its record has gone', () => {
  /** Refunds one payment, and then another one under the same key. */
  async function refundBoth(isRemembered: boolean) {
    const api = setUp();
    const { send } = api;
    const pay = async () => headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    const [one, other] = [await pay(), await pay()];
    const key = randomUUID();
    const refund = (path: string, amount = 500) => send({ path: `${path}/refunds`, key, body: { amount } });
    const first = await refund(one);
    await api.expireRecord();
    if (!isRemembered) api.forgetKeys();
    const second = await refund(other);
    const announced = async () => {
      const events = await api.announced();
      return events.filter(({ payment }) => one.endsWith(payment) || other.endsWith(payment));
    };
    return { ...api, one, other, refund, first, second, announced };
  }

  it.each([
    ['remembers', true],
    ['has forgotten', false],
  ])('refunds both, each with an id, a payout and an event of its own, by a processor that %s it', async (_, known) => {
    const { send, keys, one, other, first, second, announced } = await refundBoth(known);
    expect([verdictOf(first), verdictOf(second)]).toEqual(['201', '201']);
    expect(bodyOf(second)['id']).not.toBe(bodyOf(first)['id']);
    expect(new Set(keys.refund).size).toBe(2);
    for (const path of [one, other]) {
      expect(bodyOf(await send({ method: 'GET', path }))['amountRefunded']).toBe(500);
      const events = (await announced()).filter(({ payment }) => path.endsWith(payment));
      expect(events.map(({ type }) => type).toSorted()).toEqual(['payment-captured', 'payment-refunded']);
    }
    expect(new Set((await announced()).map(({ id }) => id)).size).toBe(4);
  });

  it('is refused for another amount of either payment: 422', async () => {
    const { refund, keys, one, other, expireRecord } = await refundBoth(true);
    for (const path of [other, one]) {
      await expireRecord();
      expect(verdictOf(await refund(path, 501))).toBe('422 key-reused');
    }
    expect(keys.refund).toHaveLength(2);
  });

  it('announces the refund beside the payment that the key has made before', async () => {
    const { send, announced, expireRecord } = setUp();
    const key = randomUUID();
    const path = headerOf(await send({ key }), 'location') ?? '';
    await expireRecord();
    expect(verdictOf(await send({ path: `${path}/refunds`, key, body: { amount: 500 } }))).toBe('201');
    const events = (await announced()).filter(({ payment }) => path.endsWith(payment));
    expect(events.map(({ type }) => type).toSorted()).toEqual(['payment-captured', 'payment-refunded']);
  });
});

describe('a key that the processor knows from another request, whose payment was never stored', () => {
  it('charges nothing: 422; and the request that it belongs to is finished with its first charge', async () => {
    const crashes = [new Error('the process died')];
    const { payments } = setUp();
    const { send, keys, expireRecord } = setUp({
      payments: {
        insertion(payment) {
          const crash = crashes.pop();
          if (crash !== undefined) throw crash;
          return payments.insertion(payment);
        },
      },
    });
    const key = randomUUID();
    expect(verdictOf(await send({ key }))).toBe('500 internal-error');
    await expireRecord();
    const other = { key, body: { ...PAYMENT, amount: 500 } };
    expect(verdictOf(await send(other))).toBe('422 key-reused');
    expect(verdictOf(await send(other))).toBe('422 key-reused');
    await expireRecord();
    expect(verdictOf(await send({ key }))).toBe('201');
    expect(new Set(keys.charge).size).toBe(1);
  });
});
