import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const lite = fileURLToPath(new URL('./test/support/lite/dynamodb.ts', import.meta.url));

/** `npm run test:lite`: the promises, and what the stores must do, with the store that does without the SDK. */
export default defineConfig({
  resolve: {
    alias: [{ find: /^middy-idempotency\/dynamodb$/, replacement: lite }, ...((base.resolve?.alias ?? []) as [])],
  },
  test: {
    ...base.test,
    include: ['test/integration/*.test.ts', 'test/stores/*.test.ts', 'test/stores/golden/*.test.ts'],
    exclude: ['test/integration/{postgres,redis}-*.test.ts'],
  },
});
