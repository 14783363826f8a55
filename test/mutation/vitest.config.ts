import { fileURLToPath } from 'node:url';
import { mergeConfig } from 'vitest/config';
import base from '../../vitest.config.ts';
import { SUITE_VARIABLE, SUITES } from './suites.ts';

const inMemory = (path: string) => fileURLToPath(new URL(`./in-memory/${path}`, import.meta.url));

/** Mutants meet the same tests, on tables in memory: DynamoDB would be asked thousands of times, and has no mutants. */
export default mergeConfig(
  { resolve: base.resolve ?? {} },
  {
    resolve: {
      alias: [
        {
          find: /^(middy-idempotency\/dynamodb|(\.\.\/)+src\/stores\/dynamodb\.ts)$/,
          replacement: inMemory('dynamodb.ts'),
        },
        { find: /^\.{1,2}(\/support)?\/table\.ts$/, replacement: inMemory('table.ts') },
        { find: /^\.{1,2}(\/support)?\/fault-proxy\.ts$/, replacement: inMemory('fault-proxy.ts') },
      ],
    },
    test: { include: SUITES[process.env[SUITE_VARIABLE] ?? ''] ?? [], testTimeout: 30_000 },
  },
);
