import { afterEach, beforeEach, expect, it, vi } from 'vitest';

beforeEach(() => {
  vi.resetModules();
  vi.stubEnv('IDEMPOTENCY_TABLE_NAME', 'idempotency');
  vi.stubEnv('PAYMENTS_TABLE_NAME', 'payments');
});
afterEach(() => vi.unstubAllEnvs());

const load = () => import('../../infra/payments/handler.ts');

it('is a function that Lambda can call', async () => {
  expect((await load()).handler).toBeTypeOf('function');
});

it.each(['IDEMPOTENCY_TABLE_NAME', 'PAYMENTS_TABLE_NAME'])('fails at its start when %s is not set', async (name) => {
  vi.stubEnv(name, undefined);
  await expect(load()).rejects.toThrow(`The environment variable ${name} is not set`);
});

it.each(['anonymous', 'verified', undefined])('takes the scope %s', async (scope) => {
  vi.stubEnv('PAYMENTS_SCOPE', scope);
  expect((await load()).handler).toBeTypeOf('function');
});

it('fails at its start when PAYMENTS_SCOPE is no scope', async () => {
  vi.stubEnv('PAYMENTS_SCOPE', 'everybody');
  await expect(load()).rejects.toThrow("PAYMENTS_SCOPE must be 'verified' or 'anonymous', not 'everybody'");
});
