import { afterAll, beforeAll, inject } from 'vitest';
import { type Runner, startRunner } from '../runner.ts';

const SOURCES = new URL('../../../tools/sources.ts', import.meta.url).href;

export type Store = 'dynamodb' | 'postgres';

/** For a test file: the local runner on a store, on the sources of the package as they are. */
export function useRunner(store: Store, latencyMillis: number) {
  let runner: Runner | undefined;
  let origin = '';
  beforeAll(async () => {
    runner = startRunner(
      {
        PORT: '0',
        PROCESSOR_LATENCY_MILLIS: String(latencyMillis),
        DYNAMODB_ENDPOINT: inject('dynamoDBEndpoint'),
        POSTGRES_URL: inject('postgresUrl'),
        NODE_OPTIONS: `--import=${SOURCES}`,
      },
      ['--store', store],
    );
    [, origin = ''] = await runner.until(/^Open (\S+) in a browser/m);
  });
  afterAll(async () => {
    runner?.child.kill();
    await runner?.exitCode;
  });
  return {
    get origin() {
      return origin;
    },
    output: () => runner?.output() ?? '',
    until: (pattern: RegExp) => runner?.until(pattern),
  };
}
