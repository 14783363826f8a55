import { expect, it } from 'vitest';
import { misplacedImports, ROOMS } from '../../tools/layers.ts';

const MISPLACED = [
  ['src/errors.ts', './json.ts'],
  ['src/json.ts', './errors.ts'],
  ['src/core/record/store.ts', '../options.ts'],
  ['src/core/record/store.ts', '../claim/claim.ts'],
  ['src/core/record/store.ts', '../execution/execution.ts'],
  ['src/core/execution/execution.ts', '../claim/decide.ts'],
  ['src/core/budget.ts', './execution/execution.ts'],
  ['src/core/claim/claim.ts', '../../runtime.ts'],
  ['src/core/claim/claim.ts', '../../request-key/identity.ts'],
  ['src/core/claim/claim.ts', '../../index.ts'],
  ['src/core/claim/claim.ts', 'node:crypto'],
  ['src/core/claim/claim.ts', '@aws-sdk/client-dynamodb'],
  ['src/request-key/deep/down/path.ts', '../../../runtime.ts'],
  ['src/request-key/selector.ts', '../operation.ts'],
  ['src/request-key/selector.ts', 'node:process'],
  ['src/operation.ts', './middy/idempotency.ts'],
  ['src/operation.ts', './middy/run.ts'],
  ['src/function.ts', './middy/thenable.ts'],
  ['src/function.ts', './http/problem.ts'],
  ['src/middy/idempotency.ts', '../function.ts'],
  ['src/middy/run.ts', '../http/response.ts'],
  ['src/middy/run.ts', '../stores/memory.ts'],
  ['src/middy/run.ts', '@aws-sdk/client-dynamodb'],
  ['src/http/index.ts', '../stores/dynamodb/table.ts'],
  ['src/events/sqs.ts', '../core/options.ts'],
  ['src/stores/memory.ts', '../request-key/canonical.ts'],
  ['src/request-key/path.ts', '../jmespath/index.ts'],
  ['src/request-key/path.ts', '@aws-lambda-powertools/jmespath'],
  ['src/jmespath/index.ts', '../http/request.ts'],
  ['src/operator/explain.ts', '../jmespath/index.ts'],
  ['src/cdk/index.ts', '../../cdk.json'],
  ['src/stores/dynamodb/item.ts', '@middy/core'],
  ['src/operator/explain.ts', '../stores/dynamodb.ts'],
  ['src/cli/run.ts', '../core/options.ts'],
  ['src/cdk/index.ts', '../stores/dynamodb/table.ts'],
  ['src/cdk/index.ts', '@aws-sdk/client-dynamodb'],
  ['src/index.ts', './http/index.ts'],
  ['src/index.ts', 'middy-idempotency/http'],
  ['tools/tables.ts', '../infra/local/leash.ts'],
  ['tools/tables.ts', '../test/support/command.ts'],
  ['tools/tables.ts', '../proofs/oracle/facts.ts'],
  ['tools/tables.ts', '../bench/event.ts'],
  ['tools/tables.ts', '../src/index.ts'],
  ['infra/payments/handler.ts', '../../src/index.ts'],
  ['infra/payments/handler.ts', '../local/server.ts'],
  ['infra/local/main.ts', '../../test/support/command.ts'],
  ['infra/local/main.ts', '../../proofs/chaos/main.ts'],
  ['infra/local/main.ts', '../../bench/event.ts'],
  ['test/core/claim.test.ts', '../../proofs/oracle/facts.ts'],
  ['test/infra/outbox.test.ts', '../../proofs/consumers/dead-letters.ts'],
  ['test/core/claim.test.ts', '../../bench/event.ts'],
  ['test/core/claim.test.ts', '../../infra/local/server.ts'],
  ['proofs/kill/main.ts', '../../infra/local/server.ts'],
  ['proofs/kill/main.ts', '../../bench/event.ts'],
  ['bench/main.ts', '../proofs/load/tally.ts'],
  ['bench/main.ts', '../infra/local/server.ts'],
  ['bench/main.ts', '../test/support/command.ts'],
] as const;

it.each(MISPLACED)('refuses that %s imports %s', (file, specifier) => {
  expect(misplacedImports(file, `import { a } from '${specifier}';\n`)).toEqual([
    expect.stringContaining(`${file} imports ${specifier}`),
  ]);
});

it.each([
  ['src/core/record/store.ts', '../../errors.ts'],
  ['src/core/claim/claim.ts', '../execution/execution.ts'],
  ['src/core/claim/claim.ts', './decide.ts'],
  ['src/core/execution/step.ts', '../record/outcome.ts'],
  ['src/core/options.ts', './record/store.ts'],
  ['src/jmespath/index.ts', '@aws-lambda-powertools/jmespath/functions'],
  ['test/infra/support/stack.ts', '../../../cdk.json'],
  ['src/operation.ts', './core/claim/claim.ts'],
  ['src/middy/idempotency.ts', './run.ts'],
  ['src/http/presented.ts', '../core/execution/execution.ts'],
  ['src/stores/dynamodb/text-codec.ts', '../../builtins.ts'],
  ['src/cli/records.ts', 'node:timers/promises'],
  ['src/cdk/index.ts', 'aws-cdk-lib/aws-kms'],
  ['infra/local/main.ts', '../payments/handler.ts'],
  ['infra/payments/handler.ts', 'middy-idempotency/http'],
  ['test/core/claim.test.ts', '../../src/core/claim/claim.ts'],
])('accepts that %s imports %s', (file, specifier) => {
  expect(misplacedImports(file, `import { a } from '${specifier}';\n`)).toEqual([]);
});

it.each([
  'import type { a } from TARGET;',
  'import TARGET;',
  'export { a } from TARGET;',
  'export * from TARGET;',
  'export type { a } from TARGET;',
  'import {\n  a,\n  type b,\n} from TARGET;',
  'const { a } = await import(TARGET);',
  'type A = import(TARGET).A;',
])('sees the import in %j', (text) => {
  const file = `import { z } from '../../errors.ts';\n${text.replace('TARGET', "'../../middy/run.ts'")}\nexport const end = 'end';\n`;
  expect(misplacedImports('src/core/claim/claim.ts', file)).toHaveLength(1);
});

it('refuses a file that is in no room', () => {
  expect(misplacedImports('src/new/thing.ts', '')).toEqual([expect.stringContaining('src/new/thing.ts is in no room')]);
});

it('names in its lists only rooms that exist', () => {
  const named = Object.values(ROOMS).flat();
  const paths = named.filter((name) => /^(src|infra|test|proofs|bench|tools|examples)\b/.test(name));
  expect(paths.filter((name) => !name.endsWith('/**') && !(name in ROOMS))).toEqual([]);
});
