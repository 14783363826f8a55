/** The mutated folders of `src`, and the tests that hold each to its promises: others would only take time. */
export const SUITES: Readonly<Record<string, readonly string[]>> = {
  core: [
    'test/core/**/*.test.ts',
    'test/{function,two-copies,warnings}.test.ts',
    'test/integration/i*.test.ts',
    'test/integration/{cache,complete,renewal,step,waiting}.test.ts',
    'proofs/simulation/{kept-schedules,simulation}.test.ts',
  ],
  'request-key': [
    'test/request-key/**/*.test.ts',
    'test/jmespath/**/*.test.ts',
    'test/core/options.test.ts',
    'test/integration/i06-key-once.test.ts',
    'test/integration/i09-no-key.test.ts',
  ],
  middy: [
    'test/middy/**/*.test.ts',
    'test/core/{execution,claim}/*.test.ts',
    'test/events/middy.test.ts',
    'test/http/{behaviour,middy-chain,responses}.test.ts',
    'test/integration/i*.test.ts',
    'test/integration/{cache,complete,step,waiting}.test.ts',
  ],
  jmespath: ['test/jmespath/**/*.test.ts', 'test/request-key/selection.test.ts'],
  http: ['test/http/!(properties).test.ts', 'proofs/fuzz/key-header.test.ts'],
};

export const FOLDERS = Object.keys(SUITES);

/** Which suite a run is about, for the processes that the mutation tester starts. */
export const SUITE_VARIABLE = 'MUTATION_SUITE';
