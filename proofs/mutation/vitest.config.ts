import { mergeConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import fast from '../../vitest.fast.config.ts';
import { SUITE_VARIABLE, SUITES } from './suites.ts';

/** The tests that wait for real time are the last: most mutants are dead before them. */
const SLOW = /i07-timeout|i09-no-key|i12-original-error|renewal|simulation|waiting/;

class FastestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      SLOW.test(moduleId) ? 2 : moduleId.includes('integration') ? 1 : 0;
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** Mutants meet the tests of `npm run test:fast`: DynamoDB would be asked thousands of times, and has no mutants. */
export default mergeConfig(
  { resolve: fast.resolve ?? {}, plugins: fast.plugins ?? [] },
  {
    test: {
      include: SUITES[process.env[SUITE_VARIABLE] ?? ''] ?? [],
      exclude: fast.test?.exclude ?? [],
      isolate: false,
      env: fast.test?.env ?? {},
      sequence: { sequencer: FastestFirst },
      testTimeout: 30_000,
    },
  },
);
