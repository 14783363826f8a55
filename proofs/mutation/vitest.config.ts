import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mergeConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from '../../vitest.config.ts';
import { SUITE_VARIABLE, SUITES } from './suites.ts';

const support = (name: string) => fileURLToPath(new URL(`../../test/support/${name}`, import.meta.url));
const inMemory = (path: string) => fileURLToPath(new URL(`./in-memory/${path}`, import.meta.url));

/** The tests that wait for real time are the last: most mutants are dead before them. */
const SLOW = /i07-timeout|i09-no-key|i12-original-error|renewal|simulation|waiting/;

class FastestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      SLOW.test(moduleId) ? 2 : moduleId.includes('integration') ? 1 : 0;
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** `test/support/table.ts`, `fault-proxy.ts` and the store; the simulation has a table in memory of its own behind it. */
const tablesInMemory = {
  name: 'tables-in-memory',
  enforce: 'pre' as const,
  resolveId(source: string, importer: string | undefined) {
    if (importer === undefined || importer.includes('/proofs/simulation/')) return undefined;
    if (/\bsrc\/stores\/dynamodb\.ts$/.test(source)) return inMemory('dynamodb.ts');
    if (!/\/(table|fault-proxy)\.ts$/.test(source)) return undefined;
    const path = resolve(dirname(importer), source);
    return path === support(basename(path)) ? inMemory(basename(path)) : undefined;
  },
};

/** Mutants meet the same tests, on tables in memory: DynamoDB would be asked thousands of times, and has no mutants. */
export default mergeConfig(
  { resolve: base.resolve ?? {} },
  {
    plugins: [tablesInMemory],
    test: {
      include: SUITES[process.env[SUITE_VARIABLE] ?? ''] ?? [],
      isolate: false,
      env: { SIMULATED_SCHEDULES: '400' },
      sequence: { sequencer: FastestFirst },
      testTimeout: 30_000,
    },
  },
);
