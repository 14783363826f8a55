import { Stryker } from '@stryker-mutator/core';

/**
 * Changes the example's handlers, one mutant at a time, and shows which of them the check finds. It takes some minutes.
 * A mutant that stays has changed no effect: a message, a refusal of input, the name of a derived key.
 */
const FILES = [
  'infra/payments/create-payment.ts',
  'infra/payments/create-refund.ts',
  'infra/payments/ask-processor.ts',
];

const stryker = new Stryker({
  mutate: FILES,
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: 'proofs/handlers/vitest.config.ts', related: false },
  coverageAnalysis: 'off',
  concurrency: 2,
  timeoutMS: 60_000,
  timeoutFactor: 3,
  tsconfigFile: 'none',
  ignorePatterns: ['dist', 'reports'],
  tempDirName: 'reports/mutation/.sandbox',
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: 'reports/mutation/handlers.json' },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: true },
} as ConstructorParameters<typeof Stryker>[0]);
await stryker.runMutationTest();
