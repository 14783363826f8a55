import { defineConfig } from 'vitest/config';

/** `npm run test:deploy`: one run through the life of a deployment, each step on what the one before it has left. */
export default defineConfig({
  test: {
    include: ['test/deploy/*.test.ts'],
    reporters: ['verbose'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    bail: 1,
  },
});
