import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';
import { NEEDS_DYNAMODB } from './vitest.fast.config.ts';

const support = fileURLToPath(new URL('./test/support/', import.meta.url));
const TWINS: Readonly<Record<string, string>> = {
  'table.ts': 'real/table.ts',
  'in-memory/table.ts': 'real/table.ts',
  'fault-proxy.ts': 'in-memory/fault-proxy.ts',
};

/** A test that asks for a table gets one in PostgreSQL or in Redis. */
const tablesElsewhere = {
  name: 'tables-elsewhere',
  load(id: string) {
    const twin = id.startsWith(support) ? TWINS[id.slice(support.length)] : undefined;
    return twin && `export * from ${JSON.stringify(support + twin)};`;
  },
};

/** The tests of the example's API: PostgreSQL has them, too. Redis has no `transact`. */
const EXAMPLE =
  'test/infra/{expired-records,payment-announcements,payments,put-payment,patch-payment,refunds,void-payment}.test.ts';

/** `npm run test:postgres` and `npm run test:redis`: the promises on these stores, as `npm test` has them on DynamoDB. */
export default defineConfig(({ mode }) => ({
  resolve: {
    alias: [
      { find: /^middy-idempotency\/dynamodb$/, replacement: `${support}in-memory/dynamodb.ts` },
      ...((base.resolve?.alias ?? []) as []),
    ],
  },
  plugins: [tablesElsewhere],
  test: {
    ...base.test,
    globalSetup: ['test/support/postgres-server.ts'],
    include: ['test/integration/*.test.ts', ...(mode === 'postgres' ? [EXAMPLE] : [])],
    exclude: [
      ...NEEDS_DYNAMODB.filter((path) => path !== 'test/infra/**'),
      'test/integration/{postgres,redis}-*.test.ts',
    ],
    env: { STORE: mode },
  },
}));
