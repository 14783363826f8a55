import { randomUUID } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { usePaymentsApi } from './payments-api.ts';
import { bodyOf, headerOf, PAYMENT, verdictOf } from './requests.ts';

const setUp = usePaymentsApi();

afterEach(() => vi.restoreAllMocks());

const ISSUER = 'https://issuer.example';
const ALICE = { iss: ISSUER, sub: 'alice' };
const BOB = { iss: ISSUER, sub: 'bob' };

it('gives two callers their own payments for the same key and body', async () => {
  const { send, chargeKeys } = setUp({ scope: 'verified' });
  const key = randomUUID();
  const [alice, bob] = [await send({ key, claims: ALICE }), await send({ key, claims: BOB })];
  expect([alice.statusCode, bob.statusCode]).toEqual([201, 201]);
  expect(headerOf(bob, 'idempotent-replayed')).toBeUndefined();
  expect(bodyOf(alice)['id']).not.toBe(bodyOf(bob)['id']);
  expect(new Set(chargeKeys).size).toBe(2);
});

it('tells a caller nothing of the key of another: no 422, no 409', async () => {
  const gate = Promise.withResolvers<void>();
  const { send } = setUp({ scope: 'verified', before: () => gate.promise });
  const key = randomUUID();
  const running = send({ key, claims: ALICE });
  const other = send({ key, claims: BOB, body: { ...PAYMENT, amount: 500 } });
  gate.resolve();
  expect((await Promise.all([running, other])).map(verdictOf)).toEqual(['201', '201']);
});

it('gives a caller the replay after the token was renewed', async () => {
  const { send } = setUp({ scope: 'verified' });
  const key = randomUUID();
  const first = await send({ key, claims: { ...ALICE, exp: '1', jti: 'one' } });
  const retry = await send({ key, claims: { ...ALICE, exp: '2', jti: 'two' } });
  expect(retry.body).toBe(first.body);
  expect(headerOf(retry, 'idempotent-replayed')).toBe('true');
});

it('refuses guarded requests without a verified caller, and charges nothing: 500, and an event says so', async () => {
  const { send, chargeKeys, events } = setUp({ scope: 'verified' });
  expect(verdictOf(await send({ key: randomUUID() }))).toBe('500 scope-missing');
  expect(chargeKeys).toEqual([]);
  expect(events).toEqual(['refused']);
});
