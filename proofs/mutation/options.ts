import type { Stryker } from '@stryker-mutator/core';

type Options = ConstructorParameters<typeof Stryker>[0];

/** How one folder of `src`, or one file, is mutated. Three workers: the tests of one mutant seldom use a core fully. */
export function strykerOptions(path: string): Options {
  const name = path.replaceAll('/', '-').replace(/\.ts$/, '');
  return {
    mutate: [path.endsWith('.ts') ? `src/${path}` : `src/${path}/**/*.ts`],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    // Tests reach the sources through the package's public names, which does not relate them in Vitest's eyes.
    vitest: { configFile: 'proofs/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: 3,
    timeoutMS: 20_000,
    timeoutFactor: 3,
    // Stryker would rewrite references in it with an interface that TypeScript 7 no longer has. There are none.
    tsconfigFile: 'none',
    ignorePatterns: ['dist', 'reports'],
    tempDirName: 'reports/mutation/.sandbox',
    reporters: ['progress-append-only', 'clear-text', 'html', 'json'],
    htmlReporter: { fileName: `reports/mutation/${name}.html` },
    jsonReporter: { fileName: `reports/mutation/${name}.json` },
    clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportScoreTable: false },
  } as Options;
}
