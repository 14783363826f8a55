import { defineConfig } from 'vitest/config';
import base from '../../vitest.config.ts';

/** The check of the example's payments, and nothing else: what it does not find, no test finds. */
export default defineConfig({
  resolve: base.resolve ?? {},
  test: { include: ['test/infra/payments-check.test.ts'], testTimeout: 60_000 },
});
