import type { Stryker } from '@stryker-mutator/core';

type Options = ConstructorParameters<typeof Stryker>[0];

/** How one folder of `src` is mutated. Two workers, since the tests of one mutant seldom use a core fully. */
export function strykerOptions(folder: string): Options {
  return {
    mutate: [`src/${folder}/**/*.ts`],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    // Tests reach the sources through the package's public names, which does not relate them in Vitest's eyes.
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: 2,
    timeoutMS: 20_000,
    timeoutFactor: 3,
    // Stryker would rewrite references in it with an interface that TypeScript 7 no longer has. There are none.
    tsconfigFile: 'none',
    ignorePatterns: ['dist', 'reports'],
    tempDirName: 'reports/mutation/.sandbox',
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    htmlReporter: { fileName: `reports/mutation/${folder}.html` },
    jsonReporter: { fileName: `reports/mutation/${folder}.json` },
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: false },
  } as Options;
}
