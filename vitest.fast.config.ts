import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Reporter } from 'vitest/node';
import base from './vitest.config.ts';

const support = fileURLToPath(new URL('./test/support/', import.meta.url));
const twinOf = (name: string) => `${support}in-memory/${name}`;

/**
 * A test that asks for a table, or for a proxy that makes faults, gets one in memory. What stands for a module depends on that
 * module alone, and never on its importer: Vitest keeps modules on disk, and then asks without one.
 */
const tablesInMemory = {
  name: 'tables-in-memory',
  load(id: string) {
    const name = id.startsWith(support) ? id.slice(support.length) : '';
    return ['table.ts', 'fault-proxy.ts'].includes(name) ? `export * from ${JSON.stringify(twinOf(name))};` : undefined;
  },
};

export const NEEDS_DYNAMODB: readonly string[] = [
  'test/stores/dynamodb*.test.ts',
  'test/stores/lite/{lite,parity}.test.ts',
  'test/stores/golden/**',
  'test/integration/{full-record,i01-clones,idempotent-transaction,large-outcomes,transact}.test.ts',
  'test/integration/{i13-done-is-true,i14-an-answer,i16-bounded}.test.ts',
  'test/cli/**',
  'test/infra/**',
  'test/examples/bundling.test.ts',
  'test/testing/peer.test.ts',
  'test/powertools/{options,read-through,mirror,deploy}.test.ts',
  'proofs/fuzz/stored-records.test.ts',
  'proofs/{consumers/consumers,kill/kill}.test.ts',
];

/** By pattern of its path: what does not run here, and why. `npm test` runs all of it but `test/deploy`. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  'needs DynamoDB Local': NEEDS_DYNAMODB,
  'needs PostgreSQL or Redis': [
    'test/stores/{postgres,redis}/**',
    'test/integration/{postgres,redis}-*.test.ts',
    'test/examples/{payment-processor,sql-unique-key}.test.ts',
    'proofs/stores/**',
  ],
  'takes many seconds': [
    'test/cdk/**',
    'test/docs-code.test.ts',
    'test/docs/playground/browser.test.ts',
    'proofs/fuzz/{events,responses,selection}.test.ts',
    'proofs/exploration/**',
  ],
  'is npm run test:deploy': ['test/deploy/**'],
};

const whatIsLeftOut: Reporter = {
  onTestRunEnd() {
    const lines = Object.entries(LEFT_OUT).map(([reason, paths]) => `  ${reason}: ${paths.join(', ')}`);
    console.log(`Left out, for npm test:\n${lines.join('\n')}\n`);
  },
};

/** `npm run test:fast`: the tests of `npm test` that need neither Java nor many seconds, on tables in memory. */
export default defineConfig({
  resolve: {
    alias: [
      // The public name alone: the simulation has a table of its own behind the store itself.
      { find: /^middy-idempotency\/dynamodb$/, replacement: twinOf('dynamodb.ts') },
      ...((base.resolve?.alias ?? []) as []),
    ],
  },
  plugins: [tablesInMemory],
  test: {
    include: base.test?.include ?? [],
    exclude: Object.values(LEFT_OUT).flat(),
    isolate: false,
    env: { SIMULATED_SCHEDULES: '400', GENERATED_HANDLERS: '10' },
    reporters: ['default', whatIsLeftOut],
    testTimeout: 30_000,
  },
});
