import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^middy-idempotency$/, replacement: source('index.ts') },
      { find: /^middy-idempotency\/dynamodb$/, replacement: source('stores/dynamodb.ts') },
      { find: /^middy-idempotency\/dynamodb\/lite$/, replacement: source('stores/dynamodb/lite.ts') },
      { find: /^middy-idempotency\/cdk$/, replacement: source('cdk/index.ts') },
      { find: /^middy-idempotency\/emf$/, replacement: source('emf/index.ts') },
      { find: /^middy-idempotency\/events$/, replacement: source('events/index.ts') },
      { find: /^middy-idempotency\/fetch$/, replacement: source('fetch/index.ts') },
      { find: /^middy-idempotency\/http$/, replacement: source('http/index.ts') },
      { find: /^middy-idempotency\/jmespath$/, replacement: source('jmespath/index.ts') },
      { find: /^middy-idempotency\/memory$/, replacement: source('stores/memory.ts') },
      { find: /^middy-idempotency\/operator$/, replacement: source('operator/index.ts') },
      { find: /^middy-idempotency\/postgres$/, replacement: source('stores/postgres.ts') },
      { find: /^middy-idempotency\/powertools$/, replacement: source('powertools/index.ts') },
      { find: /^middy-idempotency\/redis$/, replacement: source('stores/redis.ts') },
      { find: /^middy-idempotency\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts', 'proofs/**/*.test.ts'],
    exclude: ['test/deploy/**'],
    globalSetup: ['test/support/dynamodb-local.ts', 'test/support/postgres-server.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
