import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PaymentEvent } from '../../infra/outbox/payment-event.ts';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT } from './requests.ts';
import { captureLog } from './support/log.ts';

const setUp = usePaymentsApi();

captureLog();

const of = async (announced: () => Promise<PaymentEvent[]>, payment: unknown) =>
  (await announced()).filter((event) => event.payment === payment);

describe('the outbox', () => {
  it('has an event of a payment that is captured, once, however often the request is sent', async () => {
    const { send, announced, forgetOutcome } = setUp();
    const key = randomUUID();
    const { id, createdAt } = bodyOf(await send({ key }));
    await send({ key });
    await forgetOutcome();
    await send({ key });
    expect(await of(announced, id)).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        type: 'payment-captured',
        payment: id,
        amount: 1999,
        currency: 'EUR',
        occurredAt: createdAt,
      },
    ]);
  });

  it('has the same event again when an attempt died before its transaction', async () => {
    const announcements: PaymentEvent[] = [];
    const { payments } = setUp();
    const crashes = [new Error('the process died')];
    const { send, announced } = setUp({
      payments: {
        announcement(event) {
          announcements.push(event);
          const crash = crashes.pop();
          if (crash !== undefined) throw crash;
          return payments.announcement(event);
        },
      },
    });
    const key = randomUUID();
    expect((await send({ key })).statusCode).toBe(500);
    const { id } = bodyOf(await send({ key }));
    expect(announcements).toEqual([announcements[0], announcements[0]]);
    expect(await of(announced, id)).toEqual([announcements[0]]);
  });

  it('has nothing of a payment that is only authorized, declined or refused', async () => {
    const { send, announced } = setUp();
    const { id } = bodyOf(await send({ key: randomUUID(), body: { ...PAYMENT, capture: false } }));
    await send({ key: randomUUID(), body: { ...PAYMENT, source: 'tok_declined' } });
    expect(await of(announced, id)).toEqual([]);
  });

  it('has an event of a refund that was paid out, once, also when its outcome is forgotten', async () => {
    const { send, announced, forgetOutcome } = setUp();
    const path = headerOf(await send({ key: randomUUID() }), 'location') ?? '';
    const request = { path: `${path}/refunds`, key: randomUUID(), body: { amount: 500 } };
    const first = await send(request);
    await forgetOutcome();
    expect((await send(request)).body).toBe(first.body);
    const events = await of(announced, path.slice('/payments/'.length));
    expect(events.map(({ type, amount }) => [type, amount]).toSorted()).toEqual([
      ['payment-captured', 1999],
      ['payment-refunded', 500],
    ]);
  });
});
